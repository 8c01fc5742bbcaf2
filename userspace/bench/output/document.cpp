// SPDX-License-Identifier: GPL-2.0-only
// Reads back what json() wrote.  The file is untrusted input: every field is
// looked at before it is used, and every number must be one that a run can have.
#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <limits>
#include <memory>
#include <utility>

#include <sys/stat.h>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/safe_text.hpp"
#include "bench/output/output.hpp"
#include "bench/stats.hpp"
#include "bench/enum_names.hpp"

namespace ipcscope::bench {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kSchema = "ipcscope.bench/";
constexpr std::string_view kVersion = "1";

/// Ours is 6 deep; the parser makes a value of every bracket.
constexpr std::size_t kMostDepth = 16;
constexpr std::size_t kMostResults = 1'000'000;
constexpr std::size_t kMostLines = 10'000;   ///< warnings, mitigations, CPUs
/// 30 years of a CPU that does nothing else; every sane figure is below.
constexpr std::size_t kMostParts = 64;   ///< of a round trip
constexpr double kMostValue = 1e18;
constexpr unsigned kMostPorts = 1'000'000;

std::optional<unsigned> hex_digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return std::nullopt;
}

/// The bytes that SafeText escaped; text that it cannot have written is kept.
std::string unescaped(const std::string& text)
{
    std::string out;
    for (std::size_t at = 0; at < text.size(); at++) {
        if (text[at] != '\\') {
            out += text[at];
        } else if (text.compare(at, 2, "\\\\") == 0) {
            out += '\\';
            at++;
        } else if (text.compare(at, 2, "\\x") == 0 && at + 3 < text.size() &&
                   hex_digit(text[at + 2]) && hex_digit(text[at + 3])) {
            out += static_cast<char>(*hex_digit(text[at + 2]) * 16 + *hex_digit(text[at + 3]));
            at += 3;
        } else {
            return text;
        }
    }
    return out;
}

/// Looks at the fields of one object; remembers the first that is wrong.
class Fields {
public:
    Fields(const Json& object, std::string where, std::string& wrong)
        : object_(object), where_(std::move(where)), wrong_(wrong)
    {
        if (!object_.is_object()) fail_with("is no object");
    }

    bool ok() const { return wrong_.empty(); }

    const Json& at(const char* name)
    {
        static const Json none;
        if (!object_.is_object()) return none;
        const auto found = object_.find(name);
        if (found == object_.end()) {
            fail_with(fmt::format("lacks {}", name));
            return none;
        }
        return *found;
    }

    void read(const char* name, std::string& into)
    {
        const Json& value = at(name);
        if (!value.is_string()) return complain_of(name, "is no text");
        into = unescaped(value.get_ref<const std::string&>());
    }

    void read(const char* name, bool& into)
    {
        const Json& value = at(name);
        if (!value.is_boolean()) return complain_of(name, "is neither true nor false");
        into = value.get<bool>();
    }

    template <std::unsigned_integral Number>
        requires(!std::same_as<Number, bool>)
    void read(const char* name, Number& into,
              std::uint64_t most = std::numeric_limits<Number>::max())
    {
        const Json& value = at(name);
        if (!value.is_number_unsigned() || value.get<std::uint64_t>() > most)
            return complain_of(name, fmt::format("is no whole number up to {}", most));
        into = static_cast<Number>(value.get<std::uint64_t>());
    }

    void read(const char* name, double& into)
    {
        const Json& value = at(name);
        const double number = value.is_number() ? value.get<double>() : -1;
        if (!std::isfinite(number) || number < 0 || number > kMostValue)
            return complain_of(name, "is no number that can be measured");
        into = number;
    }

    template <typename Enum>
    void read(const char* name, Enum& into, std::optional<Enum> (*of)(std::string_view))
    {
        std::string text;
        read(name, text);
        if (!ok()) return;
        if (const auto value = of(text); value && name_of(*value) == text)
            into = *value;
        else
            complain_of(name, fmt::format("'{}' is unknown", SafeText::escape(text).str()));
    }

    void read(const char* name, std::vector<std::string>& into)
    {
        for (const Json& line : array(name, kMostLines)) {
            if (!line.is_string()) return complain_of(name, "holds what is no text");
            into.push_back(unescaped(line.get_ref<const std::string&>()));
        }
    }

    void read(const char* name, std::vector<unsigned>& into)
    {
        for (const Json& number : array(name, kMostLines)) {
            if (!number.is_number_unsigned() || number.get<std::uint64_t>() > UINT32_MAX)
                return complain_of(name, "holds what is no whole number");
            into.push_back(number.get<unsigned>());
        }
    }

    /// An empty one where it is none or too long.
    const Json& array(const char* name, std::size_t most)
    {
        static const Json none = Json::array();
        const Json& value = at(name);
        if (value.is_array() && value.size() <= most) return value;
        complain_of(name, value.is_array() ? "is too long" : "is no list");
        return none;
    }

    void complain_of(const char* name, const std::string& what)
    {
        fail_with(fmt::format("{} {}", name, what));
    }

private:
    void fail_with(const std::string& what)
    {
        if (wrong_.empty()) wrong_ = fmt::format("{}{}", where_, what);
    }

    const Json& object_;
    std::string where_;
    std::string& wrong_;
};

/// Fills a Run; stops at the first field that is wrong.
class Reader {
public:
    const std::string& wrong() const { return wrong_; }

    Run run(const Json& json)
    {
        Run run;
        Fields fields(json, "", wrong_);
        run.environment = environment(fields.at("environment"));
        fields.read("elapsed_s", run.elapsed_s);
        fields.read("interrupted", run.interrupted);
        fields.read("warnings", run.warnings);
        std::size_t at = 0;
        for (const Json& one : fields.array("results", kMostResults)) {
            run.results.push_back(result(one, fmt::format("results[{}]: ", at++)));
            if (!wrong_.empty()) break;
        }
        return run;
    }

private:
    Environment environment(const Json& json)
    {
        Environment e;
        Fields fields(json, "environment: ", wrong_);
        fields.read("tool_version", e.tool_version);
        fields.read("hostname", e.hostname);
        fields.read("kernel", e.kernel);
        fields.read("kernel_version", e.kernel_version);
        fields.read("machine", e.machine);
        fields.read("cpu_model", e.cpu_model);
        fields.read("cpus_online", e.cpus_online);
        fields.read("cpus_allowed", e.cpus_allowed);
        fields.read("governor", e.governor);
        fields.read("smt", e.smt);
        fields.read("mitigations", e.mitigations);
        fields.read("hypervisor", e.hypervisor);
        fields.read("clocksource", e.clocksource);
        fields.read("preemption", e.preemption);
        fields.read("load_average", e.load_average);
        fields.read("clock_cost_ns", e.clock_cost_ns);
        fields.read("harness_cost_ns", e.harness_cost_ns);
        fields.read("ipcns", e.ipcns);
        fields.read("started_unix_ns", e.started_unix_ns);
        return e;
    }

    Case what(Fields& fields)
    {
        Case what;
        fields.read("mechanism", what.mechanism);
        fields.read("metric", what.metric, parse_metric);
        fields.read("message_bytes", what.message_bytes);
        fields.read("cpu_a", what.placement.cpu_a);
        fields.read("cpu_b", what.placement.cpu_b);
        fields.read("distance", what.placement.distance, parse_distance);
        fields.read("waiting", what.waiting, parse_wait_mode);
        fields.read("threads", what.threads);
        fields.read("awake", what.awake);
        fields.read("producers", what.producers, kMostPorts);
        fields.read("consumers", what.consumers, kMostPorts);
        fields.read("rate_hz", what.rate_hz);
        return what;
    }

    CaseResult result(const Json& json, const std::string& where)
    {
        CaseResult result;
        Fields fields(json, where, wrong_);
        result.what = what(fields);
        if (!fields.at("failed").is_null()) fields.read("failed", result.failed.emplace());
        std::size_t at = 0;
        std::vector<double> values;
        for (const Json& one : fields.array("rounds", kMaxRounds)) {
            result.rounds.push_back(round(one, fmt::format("{}rounds[{}]: ", where, at++)));
            if (!wrong_.empty()) return result;
            values.push_back(result.rounds.back().value);
        }
        // Not read from the file: it is computed from the rounds.
        result.estimate = estimate(std::move(values));
        if (!result.higher_is_better())
            result.latency_ns = latency(fields.at("latency_ns"), where + "latency_ns: ");
        if (!fields.at("kernel").is_null())
            result.kernel = kernel(fields.at("kernel"), where + "kernel: ");
        return result;
    }

    KernelView kernel(const Json& json, const std::string& where)
    {
        KernelView view;
        Fields fields(json, where, wrong_);
        fields.read("round_trips", view.round_trips);
        fields.read("left_out", view.left_out);
        fields.read("lost", view.lost);
        fields.read("kernel_ns", view.kernel_ns);
        fields.read("user_ns", view.user_ns);
        fields.read("untraced_ns", view.untraced_ns);
        std::size_t at = 0;
        for (const Json& one : fields.array("parts", kMostParts)) {
            Fields part(one, fmt::format("{}parts[{}]: ", where, at++), wrong_);
            part.read("name", view.parts.emplace_back().name);
            part.read("ns", view.parts.back().ns);
        }
        return view;
    }

    Round round(const Json& json, const std::string& where)
    {
        Round round;
        Fields fields(json, where, wrong_);
        fields.read("value", round.value);
        fields.read("messages", round.messages);
        fields.read("wall_ns", round.wall_ns);
        fields.read("involuntary_switches", round.involuntary_switches);
        fields.read("stolen_ns", round.stolen_ns);
        fields.read("noisy", round.noisy);
        return round;
    }

    Histogram latency(const Json& json, const std::string& where)
    {
        std::uint64_t sum = 0, min = 0, max = 0;
        Fields fields(json, where, wrong_);
        fields.read("sum", sum);
        fields.read("min", min);
        fields.read("max", max);
        std::vector<Histogram::Bucket> buckets;
        for (const Json& one : fields.array("histogram", Histogram::kBuckets)) {
            const bool numbers = one.is_array() && one.size() == 3 &&
                                 one[0].is_number_unsigned() && one[1].is_number_unsigned() &&
                                 one[2].is_number_unsigned();
            if (!numbers) {
                fields.complain_of("histogram", "holds what is no bucket");
                return {};
            }
            buckets.push_back({one[0], one[1], one[2]});
        }
        auto restored = Histogram::restore(buckets, sum, min, max);
        if (!restored) fields.complain_of("histogram", "is none that values can give");
        return restored.value_or(Histogram());
    }

    std::string wrong_;
};

/// Brackets in brackets, outside of text.
std::size_t depth(std::string_view text)
{
    std::size_t depth = 0, deepest = 0;
    bool quoted = false;
    for (std::size_t at = 0; at < text.size(); at++) {
        const char c = text[at];
        if (quoted && c == '\\') at++;
        else if (c == '"') quoted = !quoted;
        else if (quoted) continue;
        else if (c == '[' || c == '{') deepest = std::max(deepest, ++depth);
        else if ((c == ']' || c == '}') && depth > 0) depth--;
    }
    return deepest;
}

/// Checks the schema.  @return empty if it is supported, else the error
std::string other_schema(const Json& json)
{
    const auto found = json.is_object() ? json.find("schema") : json.end();
    if (!json.is_object() || found == json.end() || !found->is_string())
        return "JSON, but not of ipcscope bench";
    const auto& schema = found->get_ref<const std::string&>();
    if (schema == fmt::format("{}{}", kSchema, kVersion)) return {};
    const std::string safe = SafeText::escape(schema.substr(0, 60)).str();
    if (schema.starts_with(kSchema))
        return fmt::format("schema {}, but this ipcscope reads {}{}: measure again", safe,
                           kSchema, kVersion);
    return fmt::format("schema {}, not {}{}", safe, kSchema, kVersion);
}

struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
};

}  // namespace

Result<Run> parse(std::string_view text, std::string_view name)
{
    const auto refuse = [&](const std::string& why) {
        return fail(Exit::input, fmt::format("{}: {}", SafeText::escape(name).str(), why));
    };
    if (text.empty()) return refuse("empty");
    if (depth(text) > kMostDepth) return refuse("no run of ipcscope bench: nested too deep");
    const Json json = Json::parse(text, nullptr, false);
    if (json.is_discarded()) {
        const bool begun = text.find("ipcscope.bench/") < 100;
        return refuse(begun ? "cut off or damaged: not whole JSON" : "not JSON");
    }
    if (const std::string why = other_schema(json); !why.empty()) return refuse(why);
    Reader reader;
    Run run = reader.run(json);
    if (!reader.wrong().empty()) return refuse(reader.wrong());
    return run;
}

Result<Run> load(const std::string& path)
{
    const auto refuse = [&](int error) {
        return fail(Exit::input, fmt::format("cannot read {}: {}", SafeText::escape(path).str(),
                                             std::strerror(error)));
    };
    const std::unique_ptr<std::FILE, Close> file(std::fopen(path.c_str(), "re"));
    if (!file) return refuse(errno);
    std::string text;
    std::vector<char> buffer(64 << 10);
    while (const std::size_t got = std::fread(buffer.data(), 1, buffer.size(), file.get())) {
        text.append(buffer.data(), got);
        if (text.size() > kMaxFileBytes) return refuse(EFBIG);
    }
    if (std::ferror(file.get())) return refuse(errno);
    return parse(text, path);
}

}  // namespace ipcscope::bench
