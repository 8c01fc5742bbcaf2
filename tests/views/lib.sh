# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Sourced by the tests beside it, which are called with the build directory: a scratch
# directory with samples, and what the tests say.

set -u -o pipefail
build=$(realpath "${1:?which build directory?}")
# shellcheck disable=SC2034 # of those that source it
root=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck disable=SC2034
ipcscope=$build/ipcscope
scratch=$(mktemp -d) || exit
# shellcheck disable=SC2329 # trap calls it
cleanup()
{
	[ ${#servers[@]} = 0 ] || kill "${servers[@]}" 2>/dev/null
	wait
	rm -rf "$scratch"
}
servers=()
trap cleanup EXIT
cd "$scratch" || exit
failed=0

need() # COMMAND...
{
	local command
	for command; do
		command -v "$command" >/dev/null ||
			{ echo "$command not found: run packaging/install-deps packaging/deps-views" >&2; exit 1; }
	done
}
expect() # WHAT COMMAND...
{
	local what=$1
	shift
	"$@" || { echo "FAIL  $what"; failed=1; }
}
equal() # WHAT GOT WANTED
{
	[ "$2" = "$3" ] || { printf 'FAIL  %s: %s, not %s\n' "$1" "$2" "$3"; failed=1; }
}
# A command that fails with STATUS and one line that has WORDS, and leaves no file behind.
refused() # STATUS WORDS COMMAND...
{
	local status=$1 words=$2 before after got
	shift 2
	before=$(ls -A)
	"$@" 2>err.txt >/dev/null
	got=$?
	cp err.txt /dev/stderr 2>/dev/null
	equal "status of $*" $got "$status"
	equal "lines of $*" "$(wc -l <err.txt)" 1
	grep -q -- "$words" err.txt || { echo "FAIL  no '$words' in: $(cat err.txt)"; failed=1; }
	rm -f err.txt
	after=$(ls -A)
	equal "files after $*" "$after" "$before"
}
done_() { exit "$failed"; }

"$(find "$build/tests/views" -maxdepth 1 -name views_samples)" "$scratch" || exit
