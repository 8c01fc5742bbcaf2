// SPDX-License-Identifier: GPL-2.0-only
#include "render/html.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/units.hpp"
#include "decode/names.hpp"
#include "diagnose/diagnose.hpp"
#include "diagnose/words.hpp"
#include "render/html_parts.hpp"
#include "render/names.hpp"

namespace ipcscope::render {
namespace html_parts {

std::string escaped(std::string_view text)
{
    std::string out;
    out.reserve(text.size());
    for (const char byte : text) {
        switch (byte) {
        case '&': out += "&amp;"; break;
        case '<': out += "&lt;"; break;
        case '>': out += "&gt;"; break;
        case '"': out += "&quot;"; break;
        case '\'': out += "&#39;"; break;
        case kGlue: out += "&#160;"; break;
        default: out += byte;
        }
    }
    return out;
}

std::string task(const decode::Task& task)
{
    return escaped(fmt::format("{}/{}", task.comm.empty() ? "?" : task.comm.text().view(),
                               task.tgid));
}

}  // namespace html_parts

namespace {

using html_parts::escaped;

std::string evidence(const diagnose::Finding& finding)
{
    std::string rows;
    for (const diagnose::Evidence& one : finding.evidence) {
        const auto* number = std::get_if<std::uint64_t>(&one.value);
        const std::string value =
            number == nullptr             ? std::get<std::string>(one.value)
            : one.key.ends_with("_ns")    ? duration(*number)
            : one.key.ends_with("_bytes") ? bytes(*number)
                                          : grouped(*number);
        rows += fmt::format("<tr><td>{}</td><td>{}</td></tr>", escaped(one.key), escaped(value));
    }
    for (const diagnose::Subject& subject : finding.subjects) {
        const std::string identity = diagnose::identity(subject);
        rows += fmt::format("<tr><td>{}</td><td>{}</td></tr>", escaped(subject.role),
                            identity.empty() ? html_parts::task(subject.task)
                                             : escaped(identity));
    }
    return rows.empty() ? ""
                        : "<details><summary>Evidence</summary><div class=\"wide\"><table><tbody>" +
                              rows + "</tbody></table></div></details>";
}

std::string finding_of(const diagnose::Finding& finding, std::uint64_t start_ns)
{
    std::string stack;
    for (const std::string& entry : finding.stack) {
        stack += escaped(entry) + "\n";
    }
    const std::string at =
        finding.at_ns == 0 ? "" : " at " + duration(since(finding.at_ns, start_ns));
    return fmt::format("<div class=\"finding {0}\"><span class=\"badge\">{0}</span> "
                       "<span class=\"dim\">{1}{2}</span><p>{3}</p>{4}{5}{6}</div>\n",
                       diagnose::name(finding.severity), diagnose::info(finding.code).name,
                       escaped(at), escaped(finding.text),
                       finding.advice.empty() ? "" : "<p>" + escaped(finding.advice) + "</p>",
                       stack.empty() ? "" : "<pre>" + stack + "</pre>", evidence(finding));
}

std::string all_findings(const aggregate::Report& report, const diagnose::Findings& findings)
{
    std::string out = "<h2>Findings</h2>\n";
    for (const diagnose::Finding& finding : findings) {
        out += finding_of(finding, report.host.start_ns);
    }
    if (diagnose::saw_nothing(report)) {
        for (const std::string& line : diagnose::what_to_check(report)) {
            out += "<p>" + escaped(line) + "</p>\n";
        }
    } else if (findings.empty()) {
        out += "<p>" + escaped(diagnose::all_quiet(report)) + "</p>\n";
    }
    return out;
}

std::string head(const aggregate::Report& report)
{
    const source::Host& host = report.host;
    const bool known = host.cpus != 0;   // else the capture ends before its trace began
    std::string out = fmt::format(
        "<h1>ipcscope: {}{}</h1>\n", escaped(duration(since(report.end_ns, host.start_ns))),
        known ? " on " + escaped(safe(host.hostname)) : "");
    if (known) {
        out += fmt::format("<p class=\"dim\">Linux {} {}, {} CPUs, {}; ipcscope {}</p>\n",
                           escaped(safe(host.kernel)), escaped(safe(host.machine)), host.cpus,
                           escaped(safe(host.backend)), escaped(safe(host.tool_version)));
    }
    std::string command;
    for (const std::string& word : host.command) {
        command += (command.empty() ? "" : " ") + safe(word);
    }
    if (!command.empty()) {
        out += "<p class=\"dim\">Command: " + escaped(command) + "</p>\n";
    }
    if (!report.complete) {
        out += "<p class=\"bad\">Incomplete: " + escaped(safe(report.incomplete_why)) + "</p>\n";
    }
    return out;
}

std::string loss(const aggregate::Report& report)
{
    const aggregate::LossLedger& ledger = report.loss;
    const std::uint64_t lost = diagnose::total_lost(ledger);
    std::string out = fmt::format(
        "<h2>Loss</h2>\n<p{}>{} generated = {} shown + {} filtered + {} lost{}</p>\n",
        lost == 0 && ledger.exact ? "" : " class=\"bad\"", grouped(ledger.generated),
        grouped(ledger.shown), grouped(ledger.filtered), grouped(lost),
        ledger.exact ? ", exact" : "; not exact");
    for (unsigned cause = 0; cause < IPCSCOPE_LOST_COUNT; ++cause) {
        if (ledger.lost[cause] != 0) {
            out += fmt::format("<p>{}: {}. {}</p>\n", decode::loss_name(cause),
                               grouped(ledger.lost[cause]),
                               escaped(diagnose::loss_advice(cause)));
        }
    }
    if (const std::uint64_t evicted = report.evicted.total()) {
        out += fmt::format("<p>{} rows were given up because a table was full.</p>\n",
                           grouped(evicted));
    }
    return out;
}

}  // namespace

std::string html(const aggregate::Report& report, const diagnose::Findings& findings)
{
    namespace parts = html_parts;
    std::string out = fmt::format(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
        "style-src '{}'; script-src '{}'; base-uri 'none'; form-action 'none'\">\n"
        "<meta name=\"viewport\" content=\"width=device-width\">\n"
        "<title>ipcscope: {}</title>\n<style>{}</style></head>\n<body>\n",
        parts::kStyleHash, parts::kScriptHash, escaped(safe(report.host.hostname)),
        parts::kStyle);
    out += head(report);
    out += all_findings(report, findings);
    out += parts::timeline(report, findings);
    out += parts::wait_graph(report);
    out += parts::histograms(report);
    out += parts::tables(report);
    out += loss(report);
    out += fmt::format("<script>{}</script></body></html>\n", parts::kScript);
    return out;
}

}  // namespace ipcscope::render
