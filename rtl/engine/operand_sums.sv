// sum(a) of every token of a group, added up from its loads.
//
// One vector of T sums for each token group, those of a matmul with bit planes being of no use. A
// load that is not taken when `take` says so is not counted. What a load is, is counted a cycle
// behind it: `take` comes late.
module operand_sums (
    input logic clk,
    input logic rst,
    input logic start,
    input vaqf_pkg::command_t command,
    output logic room,  // for another load
    input logic take,
    input logic [vaqf_pkg::LOAD_BITS-1:0] load_data,
    output logic sums_valid,
    input logic sums_ready,
    output logic [vaqf_pkg::TOKENS*vaqf_pkg::ACC_BITS-1:0] sums_data
);
  localparam int A = vaqf_pkg::ACT_BITS;
  localparam int RUN = vaqf_pkg::RUN_WORDS;
  localparam int ROWS = vaqf_pkg::ROWS;
  localparam int COUNT = RUN * vaqf_pkg::PE;  // operands of one token in a load
  localparam int PART_BITS = sizes::bits_for(COUNT * (2 ** A - 1));
  localparam int ACC = vaqf_pkg::ACC_BITS;
  localparam int DEPTH = sizes::GROUP_SUMS;

  // where a load belongs: one after the other f, h and run count (docs/rtl.md)
  localparam int RUN_BITS = sizes::index_bits(vaqf_pkg::RUNS);
  localparam int ROW_BITS = sizes::index_bits(RUN);
  logic [RUN_BITS-1:0] run;
  logic [ROW_BITS-1:0] row;  // h * SHARE + f
  logic last_run, last_row, taken;
  logic [3:0] plane, digit;
  logic
      first_slice,
      last_slice,
      first_digit,
      last_digit,
      first_plane,
      last_plane,
      last_pass,
      last_group;
  assign last_run = run == RUN_BITS'(vaqf_pkg::RUNS - 1);
  assign last_row = row == ROW_BITS'(RUN - 1);

  logic next;
  assign next = taken && last_run && last_row;
  passes u_passes (
      .clk,
      .start,
      .command,
      .next,
      .plane,
      .digit,
      .first_slice,
      .last_slice,
      .first_digit,
      .last_digit,
      .first_plane,
      .last_plane,
      .last_pass,
      .last_group
  );

  logic group_end;
  assign group_end = next && last_pass;

  always_ff @(posedge clk) begin
    taken <= take && !rst;
    if (start) begin
      run <= '0;
      row <= '0;
    end else if (taken) begin
      run <= last_run ? '0 : run + 1'b1;
      if (last_run) begin
        // SHARE apart, then from the next one on: h counts inside f
        if (last_row) row <= '0;
        else if (int'(row) + vaqf_pkg::SHARE < RUN) row <= row + ROW_BITS'(vaqf_pkg::SHARE);
        else row <= row - ROW_BITS'(RUN - vaqf_pkg::SHARE - 1);
      end
    end
  end

  // the parts of a load, one for each of its rows
  localparam int TREE = latency::add_tree(COUNT);
  localparam int LATENCY = TREE > 0 ? TREE : 1;
  logic [ROWS*PART_BITS-1:0] sums, part;
  for (genvar j = 0; j < ROWS; ++j) begin : g_row
    add_tree #(
        .COUNT(COUNT),
        .WIDTH(A)
    ) u_tree (
        .clk,
        .numbers(load_data[j*COUNT*A+:COUNT*A]),
        .sum(sums[j*PART_BITS+:PART_BITS])
    );
  end

  delay #(
      .WIDTH (ROWS * PART_BITS),
      .CYCLES(LATENCY - TREE)
  ) u_part_delay (
      .clk,
      .in (sums),
      .out(part)
  );

  logic came, fresh, ends;
  logic [ROW_BITS-1:0] place;
  delay_flag #(
      .CYCLES(LATENCY)
  ) u_came_delay (
      .clk,
      .rst,
      .in (take),
      .out(came)
  );
  delay #(
      .WIDTH (2 + ROW_BITS),
      .CYCLES(LATENCY - 1)
  ) u_delay (
      .clk,
      .in ({first_slice && run == '0, group_end, row}),
      .out({fresh, ends, place})
  );

  logic [vaqf_pkg::TOKENS*ACC-1:0] totals;
  logic push;
  for (genvar t = 0; t < vaqf_pkg::TOKENS; ++t) begin : g_total
    localparam int ROW = t / RUN;
    logic [ACC-1:0] old;
    assign old = fresh ? '0 : totals[t*ACC+:ACC];
    always_ff @(posedge clk) begin
      if (came && place == ROW_BITS'(t % RUN)) begin
        totals[t*ACC+:ACC] <= old + ACC'(part[ROW*PART_BITS+:PART_BITS]);
      end
    end
  end
  always_ff @(posedge clk) push <= !rst && came && ends;

  logic in_ready;
  fifo #(
      .WIDTH(vaqf_pkg::TOKENS * ACC),
      .DEPTH(DEPTH)
  ) u_fifo (
      .clk,
      .rst,
      .in_valid (push),
      .in_ready,
      .in_data  (totals),
      .out_valid(sums_valid),
      .out_ready(sums_ready),
      .out_data (sums_data)
  );

  // groups whose last load was counted and whose sums were not taken: one more may come meanwhile
  localparam int GROUP_BITS = $clog2(DEPTH + 1);
  logic [GROUP_BITS-1:0] groups;
  logic popped, crowded;
  assign room   = !crowded;
  assign popped = sums_valid && sums_ready;
  always_ff @(posedge clk) begin
    if (rst) begin
      groups  <= '0;
      crowded <= 1'b0;
    end else if (group_end && !popped) begin
      groups  <= groups + 1'b1;
      crowded <= groups >= GROUP_BITS'(DEPTH - 2);
    end else if (!group_end && popped) begin
      groups  <= groups - 1'b1;
      crowded <= groups == GROUP_BITS'(DEPTH);
    end
`ifndef SYNTHESIS
    if (!rst) begin
      assert (crowded == (groups >= GROUP_BITS'(DEPTH - 1)));
      assert (!(group_end && !popped) || groups != GROUP_BITS'(DEPTH));
      assert (!push || in_ready);
      assert (!take || room);
    end
`endif
  end

  logic unused;
  assign unused = &{1'b0, plane, digit, last_slice, first_digit, last_digit, first_plane,
                    last_plane, last_group};
endmodule
