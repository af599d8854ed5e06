// A host behind a serial line reads and writes words of 32 bits.
//
// It sends seven bytes: `W` or `R`, the address of the first word, how many words (1 or more), both
// from the lowest byte on; and, behind W, the words, which are answered by `K` when all are written.
// Behind R come the words that were read. Other first bytes are passed over. `broken` ends what has
// begun, so that a host that lost the thread finds it again by holding the line low for a while.
//
// An access stands from `ask`, a pulse, until `done`, a pulse too. A host is slower than that: a byte
// is on the line for tens of cycles.
module serial_host (
    input logic clk,
    input logic rst,

    input  logic       in_valid,   // a pulse
    input  logic [7:0] in_data,
    input  logic       in_broken,
    output logic       out_valid,
    input  logic       out_ready,
    output logic [7:0] out_data,

    output logic        ask,
    output logic        write,       // or a read
    output logic [31:0] address,     // in bytes, of a word
    output logic [31:0] write_data,
    input  logic        done,
    input  logic [31:0] read_data    // with `done`
);
  localparam logic [7:0] WRITES = "W", READS = "R", DONE = "K";
  localparam int HEADER_BYTES = 6;  // behind the first byte

  typedef enum logic [2:0] {
    FIRST,
    HEADER,
    TAKE,  // the four bytes of a word
    ACCESS,
    GIVE,  // the same
    ACKNOWLEDGE
  } state_t;
  state_t state;
  logic [2:0] bytes;  // of a header or a word that are through
  logic [8*HEADER_BYTES-9:0] header;  // all but its last byte
  logic [15:0] words;  // to come, with this one
  logic [31:0] word;
  logic word_ends, gives;
  assign word_ends = bytes == 3'd3;
  assign gives = out_valid && out_ready;
  assign out_valid = state == GIVE || state == ACKNOWLEDGE;
  assign out_data = state == GIVE ? word[7:0] : DONE;
  assign write_data = word;

  always_ff @(posedge clk) begin
    ask <= 1'b0;
    if (state == FIRST && in_valid) write <= in_data == WRITES;
    if (state == HEADER && in_valid) header <= {in_data, header[8*HEADER_BYTES-9:8]};
    if ((state == TAKE && in_valid) || (state == GIVE && gives)) word <= {in_data, word[31:8]};
    else if (state == ACCESS && done && !write) word <= read_data;
    if (state == HEADER && in_valid && bytes == 3'(HEADER_BYTES - 1)) begin
      address <= header[31:0];
      words   <= {in_data, header[39:32]};
    end else if (state == ACCESS && done) begin
      address <= address + 32'd4;
      words   <= words - 1'b1;
    end

    if (rst || in_broken) begin
      state <= FIRST;
      bytes <= '0;
    end else begin
      case (state)
        FIRST: if (in_valid && (in_data == WRITES || in_data == READS)) state <= HEADER;
        HEADER:
        if (in_valid) begin
          bytes <= bytes + 1'b1;
          if (bytes == 3'(HEADER_BYTES - 1)) begin
            bytes <= '0;
            ask   <= !write;
            state <= write ? TAKE : ACCESS;
          end
        end
        TAKE:
        if (in_valid) begin
          bytes <= word_ends ? '0 : bytes + 1'b1;
          ask   <= word_ends;
          if (word_ends) state <= ACCESS;
        end
        ACCESS:
        if (done) begin
          if (!write) state <= GIVE;
          else state <= words == 16'd1 ? ACKNOWLEDGE : TAKE;
        end
        GIVE:
        if (gives) begin
          bytes <= word_ends ? '0 : bytes + 1'b1;
          // `words` counts those behind this one already
          ask   <= word_ends && words != '0;
          if (word_ends) state <= words == '0 ? FIRST : ACCESS;
        end
        ACKNOWLEDGE: if (gives) state <= FIRST;
        default: state <= FIRST;
      endcase
    end
`ifndef SYNTHESIS
    if (!rst) assert (state != ACCESS || !in_valid);  // or a byte is lost
`endif
  end
endmodule
