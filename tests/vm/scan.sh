#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The splat scanner: every kind of splat is found and named, clean logs give none,
# every rule has a sample, and only allowed lines are ignored.

# shellcheck source=tests/vm/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
scan=$VM/splat-scan
samples=$HERE/samples

# Cut splats.txt into one file a sample: NUMBER.CLASS
awk -v dir="$scratch" '
	/^=== / { file = sprintf("%s/sample-%03d.%s", dir, ++n, $2); next }
	{ print >file }' "$samples/splats.txt"

for sample in "$scratch"/sample-*; do
	class=${sample##*.}
	check "caught: $(basename "$sample")" 1 "$scan" "$sample"
	output_matches "named $class" "^splat: $class: " out
done

for log in "$samples"/clean-*.log; do
	check "clean: $(basename "$log")" 0 "$scan" "$log" ||
		not_ok 'found:' "$(cat "$scratch/out")"
	equal "long enough: $(basename "$log")" "$(($(wc -l <"$log") > 20))" 1
done

# A rule without a sample is not tested and may be misspelt.
while IFS= read -r rule; do
	printf '%s\n' "$rule" >"$scratch/one-rule"
	check "has a sample: $rule" 1 "$scan" --rules "$scratch/one-rule" "$samples/splats.txt"
done < <(grep -Ev '^(#|$)' "$VM/splat-rules")

hung='[  242.0] INFO: task writer:312 blocked for more than 120 seconds.'
warn='[    5.6] WARNING: CPU: 1 PID: 231 at fs/x.c:1 x+0x1/0x2'
printf '%s\n' "$hung" >"$scratch/hung"
printf '%s\n' "$hung" "$warn" >"$scratch/both"
check 'allowed by an expression' 0 "$scan" --allow '^INFO: task writer:' "$scratch/hung"
check 'another task is not' 1 "$scan" --allow '^INFO: task reader:' "$scratch/hung"
check 'allowing one leaves the other' 1 "$scan" --allow '^INFO: task ' "$scratch/both"
output_matches 'and shows only that' '^splat: warning' out
equal 'one line' "$(wc -l <"$scratch/out")" 1
check 'two expressions' 0 "$scan" --allow '^INFO: task ' --allow 'fs/x\.c:[0-9]+' "$scratch/both"
check 'a backslash stays one' 1 "$scan" --allow 'fs/x\.d' "$scratch/both"

printf '%s\n' '# comment' '' '^INFO: task writer: # frozen on purpose' >"$scratch/allow"
check 'allowed by a file with a reason' 0 "$scan" --allow-file "$scratch/allow" "$scratch/hung"
echo '^INFO: task writer:' >"$scratch/allow"
check 'a file without a reason' 2 "$scan" --allow-file "$scratch/allow" "$scratch/hung"
output_matches 'is reported' 'no reason given'

for regex in '(' 'a[' '*x'; do
	check "no expression: $regex" 2 "$scan" --allow "$regex" "$scratch/both"
	output_matches 'is named' "^vm/splat-scan: '.*' is no regular expression: "
	equal 'in one line' "$(wc -l <"$scratch/err")" 1
done
echo '( # a reason' >"$scratch/allow"
check 'no expression in a file' 2 "$scan" --check --allow-file "$scratch/allow"
output_matches 'the file is named' "^vm/splat-scan: $scratch/allow: '\(' is no"
check 'check alone reads no log' 0 "$scan" --check --allow x "$scratch/both"

printf '%s\n' "$warn" "$warn" >"$scratch/twice"
check 'console and log buffer' 1 "$scan" "$scratch/twice"
equal 'count once' "$(wc -l <"$scratch/out")" 1
printf '%s\r\n' "$warn" >"$scratch/crlf"
check 'a serial line' 1 "$scan" "$scratch/crlf"
printf 'x\0y\377\n%s\n' "$warn" >"$scratch/binary"
check 'behind binary noise' 1 "$scan" "$scratch/binary"
check 'an empty log' 0 "$scan" /dev/null
check 'a log that is not there' 2 "$scan" "$scratch/none"
check 'an unknown option' 2 "$scan" --wat
check 'no rules file' 2 "$scan" --rules "$scratch/none" "$scratch/both"
echo 'NotARule' >"$scratch/rules"
check 'a broken rules file' 2 "$scan" --rules "$scratch/rules" "$scratch/both"
: >"$scratch/rules"
check 'an empty rules file' 2 "$scan" --rules "$scratch/rules" "$scratch/both"
summary
