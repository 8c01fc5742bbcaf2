# SPDX-License-Identifier: GPL-2.0-only
#
# awk -v format=json|md|svg -v count=N -f tests/overhead/table.awk FIGURES
#
# FIGURES: what tests/overhead/peers-guest prints.  Exit: 1 where a way to trace has not
# all operations.

function operation_names()
{
	m = split("signal pipe pipe-ping-pong signal-ping-pong bulk ring", operations, " ")
	title["signal"] = "signal to a handler"
	title["pipe"] = "pipe write + read"
	title["pipe-ping-pong"] = "pipe ping-pong"
	title["signal-ping-pong"] = "signal ping-pong"
	title["bulk"] = "64 KiB write + read"
	title["ring"] = "200 processes"
}

function describe()
{
	what["ipcscope-record-bpf"] = "ipcscope record (bpf)"
	what["ipcscope-record-kmod"] = "ipcscope record (kmod)"
	what["ipcscope-stat-bpf"] = "ipcscope stat (bpf)"
	what["ipcscope-stat-kmod"] = "ipcscope stat (kmod)"
	what["ipcscope-filtered-bpf"] = "ipcscope, filtered out (bpf)"
	what["ipcscope-filtered-kmod"] = "ipcscope, filtered out (kmod)"
	what["bpftrace-tracepoint"] = "bpftrace, signal tracepoints, histogram"
	what["bpftrace-kprobe"] = "bpftrace, pipe kprobes, histogram"
	what["bpftrace-kfunc"] = "bpftrace, pipe fentry, histogram"
	what["sigsnoop"] = "sigsnoop (libbpf-tools)"
	what["perf-record"] = "perf record, tracepoints"
	what["perf-trace"] = "perf trace"
	what["trace-cmd"] = "trace-cmd record, the same tracepoints"
	what["strace"] = "strace -f"
}

# It watches one of the two: of the other it sees nothing, and adds nothing.
function sees(way, operation)
{
	if (way == "bpftrace-tracepoint" || way == "sigsnoop") return operation ~ /^signal/
	if (way ~ /^bpftrace-k/) return operation !~ /^signal/
	return 1
}

function grouped(number, text)
{
	text = sprintf("%d", number < 0 ? -number : number)
	while (text ~ /[0-9][0-9][0-9][0-9]/) text = gensub_group(text)
	return (number < 0 ? "−" : "") text
}

# The last group of three that has no comma before it.
function gensub_group(text)
{
	match(text, /[0-9][0-9][0-9](,|$)/)
	return substr(text, 1, RSTART - 1) "," substr(text, RSTART)
}

function added(way, operation) { return value[way, operation] - value["untraced", operation] }

BEGIN { operation_names(); describe() }
$1 == "release" { release = $2; next }
$1 == "version" { version[$2] = $3; next }
NF == 3 {
	if (!($1 in seen)) { seen[$1] = 1; if ($1 != "untraced") ways[++n] = $1 }
	value[$1, $2] = $3
}
END {
	if (!("untraced" in seen)) exit 1
	for (name in what) if (!(name in seen)) exit 1
	for (i = 1; i <= n; i++)
		for (j = 1; j <= m; j++)
			if (!((ways[i], operations[j]) in value)) exit 1
	if (format == "json") json(); else if (format == "svg") svg(); else markdown()
}

function markdown(  i, j, line)
{
	printf "\nLinux %s, one CPU, the middle one of %d operations each, in guest instructions;\n", release, count
	printf "bpftrace %s, libbpf-tools %s, perf %s, trace-cmd %s, strace %s.\n\n", version["bpftrace"],
		version["libbpf-tools"], version["perf"], version["trace-cmd"], version["strace"]
	line = "| added by"
	for (j = 1; j <= m; j++) line = line " | " title[operations[j]]
	print line " | tool's own, M | MiB | lost |"
	line = "|---"
	for (j = 1; j <= m + 3; j++) line = line "|---:"
	print line "|"
	line = "| untraced (all of it)"
	for (j = 1; j <= m; j++) line = line " | " grouped(value["untraced", operations[j]])
	print line " | | | |"
	for (i = 1; i <= n; i++) {
		line = "| " what[ways[i]]
		for (j = 1; j <= m; j++)
			line = line " | " (sees(ways[i], operations[j]) ? grouped(added(ways[i], operations[j])) : "–")
		printf "%s | %d | %d | %s |\n", line, value[ways[i], "tool-ns"] / 1e6,
			value[ways[i], "tool-kib"] / 1024,
			((ways[i], "lost") in value) ? grouped(value[ways[i], "lost"]) : "–"
	}
	print ""
}

function json(  i, j)
{
	printf "{\"kernel\": \"%s\", \"unit\": \"guest instructions\", \"operations\": %d, \"untraced\": {", release, count
	for (j = 1; j <= m; j++)
		printf "%s\"%s\": %d", (j > 1 ? ", " : ""), operations[j], value["untraced", operations[j]]
	printf "}, \"added\": [\n"
	for (i = 1; i <= n; i++) {
		printf "  {\"by\": \"%s\"", ways[i]
		for (j = 1; j <= m; j++)
			if (sees(ways[i], operations[j])) printf ", \"%s\": %d", operations[j], added(ways[i], operations[j])
		printf ", \"tool_instructions\": %d, \"tool_kib\": %d, \"lost\": %s}%s\n", value[ways[i], "tool-ns"],
			value[ways[i], "tool-kib"], ((ways[i], "lost") in value) ? value[ways[i], "lost"] : "null",
			(i < n ? "," : "")
	}
	print "]}"
}

# Bars of the two single operations, on a scale by powers of ten.
function svg(  i, y, height)
{
	height = 60 + 40 * n
	printf "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"800\" height=\"%d\" viewBox=\"0 0 800 %d\" font-family=\"sans-serif\" font-size=\"12\">\n", height, height
	print "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>"
	printf "<text x=\"10\" y=\"18\">Instructions that tracing adds (Linux %s; logarithmic)</text>\n", release
	print "<rect x=\"500\" y=\"9\" width=\"10\" height=\"10\" fill=\"#33658a\"/><text x=\"514\" y=\"18\">signal to a handler</text>"
	print "<rect x=\"650\" y=\"9\" width=\"10\" height=\"10\" fill=\"#d17b0f\"/><text x=\"664\" y=\"18\">pipe write + read</text>"
	for (i = 1; i <= n; i++) {
		y = 35 + 40 * (i - 1)
		printf "<text x=\"10\" y=\"%d\" fill=\"#000000\">%s</text>\n", y + 18, what[ways[i]]
		bar(y, ways[i], "signal", "#33658a")
		bar(y + 15, ways[i], "pipe", "#d17b0f")
	}
	print "</svg>"
}

function bar(y, way, operation, colour,  number, width)
{
	if (!sees(way, operation)) return
	number = added(way, operation)
	width = number > 100 ? 80 * log(number / 100) / log(10) * 1.35 : 1
	printf "<rect x=\"280\" y=\"%d\" width=\"%d\" height=\"13\" fill=\"%s\"/><text x=\"%d\" y=\"%d\" fill=\"#000000\">%s</text>\n",
		y, width, colour, 285 + width, y + 11, grouped(number)
}
