/// C simulation of a whole run: checks the files' CRCs, starts the kernel once, compares every
/// layer of the first frame and every logit of all frames with golden, exactly.
///
///   csim WEIGHTS COMMANDS IMAGES LOGITS [LAYERS] [--frames N] [--no-crc]
///
/// Exit code 0: all equal; 1: a mismatch or an error of the kernel; 2: a file is wrong.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "vaqf/check.hpp"
#include "vaqf/trace.hpp"
#include "vaqf_accelerator.hpp"

namespace {

/// The 64-byte header of every binary file of a project, see vaqf/project/blob.py.
struct BlobHeader {
  char magic[4];
  uint32_t kind;
  uint32_t count;
  uint32_t crc;
  uint64_t payload_bytes;
  uint64_t item_bytes;
  char reserved[32];
};

struct Blob {
  BlobHeader header;
  std::vector<uint8_t> payload;
};

[[noreturn]] void fail(const std::string& path, const char* text) {
  std::fprintf(stderr, "error: %s: %s\n", path.c_str(), text);
  std::exit(2);
}

/// CRC-32 as zlib computes it.
uint32_t crc32(const std::vector<uint8_t>& data) {
  uint32_t table[256];
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ ((value & 1) ? 0xEDB88320u : 0);
    table[i] = value;
  }
  uint32_t crc = 0xFFFFFFFFu;
  for (uint8_t byte : data) crc = table[(crc ^ byte) & 0xFF] ^ (crc >> 8);
  return ~crc;
}

Blob read_blob(const std::string& path, int kind, bool check_crc) {
  Blob blob;
  std::FILE* file = std::fopen(path.c_str(), "rb");
  if (!file) fail(path, "cannot be opened");
  if (std::fread(&blob.header, sizeof(BlobHeader), 1, file) != 1) fail(path, "is too short");
  if (std::memcmp(blob.header.magic, "VAQF", 4) != 0) fail(path, "is not a file of vaqf");
  if (blob.header.kind != uint32_t(kind)) fail(path, "holds something else than expected");
  uint8_t buffer[65536];
  size_t got;
  while ((got = std::fread(buffer, 1, sizeof buffer, file)) > 0)
    blob.payload.insert(blob.payload.end(), buffer, buffer + got);
  std::fclose(file);
  if (blob.payload.size() != blob.header.payload_bytes) fail(path, "is truncated or too long");
  const bool items = kind == vaqf::kBlobImages || kind == vaqf::kBlobLogits;
  bool clean = items || blob.header.item_bytes == 0;
  for (char byte : blob.header.reserved) clean = clean && byte == 0;
  if (!clean || blob.header.item_bytes > blob.header.payload_bytes ||
      (items && blob.header.count * blob.header.item_bytes != blob.header.payload_bytes))
    fail(path, "its header does not match its content");
  if (check_crc && crc32(blob.payload) != blob.header.crc)
    fail(path, "its CRC does not match its content: build the project again");
  return blob;
}

/// Bytes as words of a memory port, one spare word behind the end.
template <class Word, int Bits>
std::vector<Word> to_words(const std::vector<uint8_t>& bytes) {
  std::vector<Word> words(bytes.size() * 8 / Bits + 2);
  for (size_t i = 0; i < words.size(); ++i) words[i] = 0;
  for (size_t i = 0; i < bytes.size(); ++i) {
    const int low = int(i % (Bits / 8)) * 8;
    words[i / (Bits / 8)].range(low + 7, low) = static_cast<unsigned>(bytes[i]);
  }
  return words;
}

/// One layer of golden for the first frame, and what the hardware's values were.
struct Layer {
  char name[64];
  uint32_t command, normalized_input, rows, columns, head_dim, padded_head, kind, reserved;
};

struct Compared {
  Layer layer;
  std::vector<int> golden;
  size_t seen = 0, wrong = 0;
  size_t first_index = 0;
  int first_value = 0;
};

class Comparison : public vaqf::TraceSink {
 public:
  std::vector<Compared> layers;

  void load(const Blob& blob, const std::string& path) {
    size_t at = 0;
    for (uint32_t i = 0; i < blob.header.count; ++i) {
      Compared entry;
      if (at + sizeof(Layer) > blob.payload.size()) fail(path, "is truncated");
      std::memcpy(&entry.layer, &blob.payload[at], sizeof(Layer));
      entry.layer.name[63] = 0;
      at += sizeof(Layer);
      const size_t size = size_t(entry.layer.rows) * entry.layer.columns;
      const size_t width = entry.layer.kind == 2 ? 2 : 1;
      if (entry.layer.kind > 2 || entry.layer.padded_head < entry.layer.head_dim ||
          entry.layer.head_dim < 1 || size > (blob.payload.size() - at) / width)
        fail(path, "has a bad layer");
      for (size_t j = 0; j < size; ++j, at += width) {
        if (width == 2) {
          int16_t value;
          std::memcpy(&value, &blob.payload[at], 2);
          entry.golden.push_back(value);
        } else {
          entry.golden.push_back(entry.layer.kind ? int8_t(blob.payload[at]) : blob.payload[at]);
        }
      }
      index_[std::make_pair(int(entry.layer.command), int(entry.layer.normalized_input))] =
          layers.size();
      layers.push_back(entry);
    }
    if (at != blob.payload.size()) fail(path, "has more layers than its header says");
  }

  void put(int command, bool normalized_input, int token, int channel, int value) override {
    const auto found = index_.find(std::make_pair(command, int(normalized_input)));
    if (found == index_.end()) return;
    Compared& entry = layers[found->second];
    const Layer& layer = entry.layer;
    const uint32_t lane = uint32_t(channel) % layer.padded_head;
    const uint32_t column = uint32_t(channel) / layer.padded_head * layer.head_dim + lane;
    if (lane >= layer.head_dim || column >= layer.columns || uint32_t(token) >= layer.rows) return;
    const size_t at = size_t(token) * layer.columns + column;
    ++entry.seen;
    if (entry.golden[at] == value) return;
    if (entry.wrong == 0 || at < entry.first_index) {
      entry.first_index = at;
      entry.first_value = value;
    }
    ++entry.wrong;
  }

  void frame_done(int frame) override {
    std::printf("frame %d done\n", frame);
    std::fflush(stdout);
  }

  /// Prints what differs; returns how many values do or never came.
  size_t report() const {
    size_t wrong = 0;
    for (const Compared& entry : layers) {
      const Layer& layer = entry.layer;
      if (entry.wrong)
        std::printf(
            "mismatch: layer %s, token %zu, channel %zu: hardware %d, golden %d (%zu of %zu"
            " values differ)\n",
            layer.name, entry.first_index / layer.columns, entry.first_index % layer.columns,
            entry.first_value, entry.golden[entry.first_index], entry.wrong, entry.golden.size());
      const bool missing = entry.seen != entry.golden.size();
      if (missing)
        std::printf("mismatch: layer %s: %zu values computed, golden has %zu\n", layer.name,
                    entry.seen, entry.golden.size());
      wrong += entry.wrong + (missing ? 1 : 0);
    }
    return wrong;
  }

 private:
  std::map<std::pair<int, int>, size_t> index_;
};

/// Refuses commands that reach beyond the files: the kernel does not know how large they are.
void check_extents(const Blob& commands, const std::string& path, const Blob& weights,
                   const Blob& images, uint64_t frames, uint64_t row_bytes) {
  const uint64_t port_bytes = vaqf::kPortBits / 8;
  for (uint32_t i = 0; i < commands.header.count; ++i) {
    ap_uint<32> word[vaqf::kCommandWords];
    for (int j = 0; j < vaqf::kCommandWords; ++j) {
      uint32_t bits;
      std::memcpy(&bits, &commands.payload[(size_t(i) * vaqf::kCommandWords + j) * 4], 4);
      word[j] = bits;
    }
    const vaqf::Command c = vaqf::decode(word);
    if (!vaqf::fits(c)) return;  // the kernel stops there
    if (vaqf::weight_end(c) > weights.payload.size()) fail(path, "reads beyond the weight image");
    if (c.opcode != vaqf::kOpMatmul) continue;
    if (c.source == vaqf::kSourcePixels &&
        frames * vaqf::frame_words(c) * port_bytes > images.payload.size())
      fail(path, "reads beyond the images");
    if (c.dest == vaqf::kDestLogits && vaqf::result_words(c) * port_bytes > row_bytes)
      fail(path, "writes beyond the logits");
  }
}

int usage() {
  std::fprintf(stderr,
               "usage: csim WEIGHTS COMMANDS IMAGES LOGITS [LAYERS] [--frames N] [--no-crc]\n");
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> paths;
  bool check_crc = true;
  long wanted = -1;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--no-crc") {
      check_crc = false;
    } else if (word == "--frames" && i + 1 < argc) {
      wanted = std::strtol(argv[++i], nullptr, 10);
      if (wanted < 1) return usage();
    } else {
      paths.push_back(word);
    }
  }
  if (paths.size() < 4 || paths.size() > 5) return usage();
  const Blob weights = read_blob(paths[0], vaqf::kBlobWeights, check_crc);
  const Blob commands = read_blob(paths[1], vaqf::kBlobCommands, check_crc);
  const Blob images = read_blob(paths[2], vaqf::kBlobImages, check_crc);
  const Blob logits = read_blob(paths[3], vaqf::kBlobLogits, check_crc);
  const uint32_t frames = wanted < 0 ? images.header.count : uint32_t(wanted);
  const uint32_t classes = uint32_t(logits.header.item_bytes / 4);
  if (frames > images.header.count || frames > logits.header.count)
    fail(paths[2], "has fewer images than --frames asks for");
  if (frames < 1) fail(paths[2], "holds no images");
  if (classes < 1 || logits.header.item_bytes % 4) fail(paths[3], "its rows are not 32-bit logits");
  if (weights.header.count != 1) fail(paths[0], "holds something else than one weight image");
  if (commands.payload.size() != size_t(commands.header.count) * vaqf::kCommandWords * 4)
    fail(paths[1], "its size is not that of its commands");

  Comparison comparison;
  if (paths.size() == 5)
    comparison.load(read_blob(paths[4], vaqf::kBlobLayers, check_crc), paths[4]);
  vaqf::trace_sink() = &comparison;

  const auto command_words = to_words<vaqf::port_word_t, vaqf::kPortBits>(commands.payload);
  const auto weight_words =
      to_words<vaqf::weight_word_t, vaqf::kWeightPorts * vaqf::kPortBits>(weights.payload);
  const auto image_words = to_words<vaqf::port_word_t, vaqf::kPortBits>(images.payload);
  const size_t row_bytes =
      (classes * 4 + vaqf::kAlignBytes - 1) / vaqf::kAlignBytes * vaqf::kAlignBytes;
  check_extents(commands, paths[1], weights, images, frames, row_bytes);
  std::vector<vaqf::port_word_t> results((vaqf::kStatusBytes + frames * row_bytes) /
                                         (vaqf::kPortBits / 8));
  vaqf_accelerator(command_words.data(), weight_words.data(), image_words.data(), results.data(),
                   frames, commands.header.count);

  const unsigned status = unsigned(results[0].range(31, 0));
  if (status != 0) {
    std::printf("error: the kernel stopped with status %u at command %u\n", status,
                unsigned(results[0].range(63, 32)));
    return 1;
  }
  size_t wrong = comparison.report(), wrong_frames = 0;
  for (uint32_t f = 0; f < frames; ++f) {
    bool equal = true;
    for (uint32_t i = 0; i < classes; ++i) {
      const size_t at = vaqf::kStatusBytes + f * row_bytes + i * 4;
      const int low = int(at % (vaqf::kPortBits / 8)) * 8;
      const int32_t got =
          int32_t(uint32_t(results[at / (vaqf::kPortBits / 8)].range(low + 31, low)));
      int32_t golden;
      std::memcpy(&golden, &logits.payload[(size_t(f) * classes + i) * 4], 4);
      if (got == golden) continue;
      if (equal && wrong_frames < 10)
        std::printf("mismatch: layer head, frame %u, class %u: hardware %d, golden %d\n", f, i, got,
                    golden);
      equal = false;
      ++wrong;
    }
    if (!equal) ++wrong_frames;
  }
  std::printf("csim: %u frames, %zu layers of the first frame: %zu mismatches\n", frames,
              comparison.layers.size(), wrong);
  return wrong ? 1 : 0;
}
