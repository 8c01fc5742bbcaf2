#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# vm/boot-test and vm/bisect-run, with kernels that boot, panic, hang, take no module and
# splat. Usage: products.sh BUILD: with ipcscope.

# shellcheck disable=SC2016 # most of the code here is for the guest's shell
# shellcheck source=tests/vm/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
build=$(cd "${1:?which build?}" && pwd)

# ---- boot-test --------------------------------------------------------------------

boot_test()
{
	"$VM/boot-test" --build "$build" --artifacts "$scratch/artifacts" --junit "$scratch/junit" \
		--json "$scratch/json" "$@"
}

failed_tests() # of the last boot_test, from its KTAP
{
	sed -n 's/^not ok [0-9]* //p' "$scratch/out" | xargs
}

check 'boot-test: no kernel' 2 "$VM/boot-test" --build "$build"
check 'boot-test: no ipcscope' 2 "$VM/boot-test" --build "$scratch" 6.12
output_matches 'is reported' 'run make build'
check 'boot-test: the kernel as an option' 2 boot_test --kernel 6.12
output_matches 'the way to name it is reported' 'vm/boot-test 6.12'
check 'boot-test: no directory of a report, found before the boot' 2 boot_test --json "$scratch/none/json" 6.12
equal 'nothing ran' "$(grep -c '^KTAP' "$scratch/out")" 0

check 'boot-test: no regular expression' 2 boot_test --allow-splat '(' 6.12
equal 'nothing ran' "$(grep -c '^KTAP' "$scratch/out")" 0
output_matches 'it is named, in one line' "^vm/run: '\(' is no regular expression"
cp -r "$VM" "$scratch/vm"
ln -s "$TOP/kmod" "$scratch/kmod"
sed -i 's/^SPLAT_RULES=/exit 2\n&/' "$scratch/vm/splat-scan"
check 'boot-test: a scan that cannot run' 125 "$scratch/vm/boot-test" --build "$build" \
	--append lockdown=integrity 6.12
equal 'is no clean log' "$(failed_tests)" 'module.load kernel.log'

mkdir -p "$scratch/artifacts"
for file in vmcore command.log module.load.log results.tsv of-mine; do
	echo old >"$scratch/artifacts/$file"
done
check 'boot-test: a kernel that works' 0 boot_test 6.12 -- true
equal 'KTAP with its plan' "$(sed -n '1,2p' "$scratch/out" | xargs)" 'KTAP version 1 1..9'
equal 'each passed' "$(grep -c '^ok [1-9] ' "$scratch/out")" 9
equal 'in the JUnit file too' "$(grep -o 'tests="9" failures="0" errors="0" skipped="0" time="[0-9.]*" timestamp="2[-0-9T:]*">' "$scratch/junit" | wc -l)" 1
equal 'the console is kept' "$(grep -c 'Linux version' "$scratch/artifacts/console.log")" 1
equal 'of an earlier run nothing is left' "$(cd "$scratch/artifacts" && grep -l '^old$' -- *)" of-mine
equal 'captures are kept' "$(cd "$scratch/artifacts" && echo *.ipcs)" 'bpf.ipcs kmod.ipcs'

# docs/ci.md: what its recipes run, in a checkout.
mkdir "$scratch/checkout"
cp -r "$VM" "$scratch/checkout/vm"
ln -s "$TOP/kmod" "$build" "$scratch/checkout/"
[ -e "$scratch/checkout/build" ] || ln -s "$build" "$scratch/checkout/build"
sed -n 's/^ *- \(run: \)\{0,1\}\(vm\/.*\)/\2/p' "$TOP/docs/ci.md" >"$scratch/recipes"
equal 'docs/ci.md: two recipes' "$(wc -l <"$scratch/recipes")" 2
sort -u "$scratch/recipes" >"$scratch/recipe"
check 'docs/ci.md: run as a script' 0 env -C "$scratch/checkout" KERNEL_TREE=6.12 bash -eu "$scratch/recipe"
equal 'its report is there' "$(grep -c '<testsuite name="boot-test 6.12" tests="8" failures="0"' "$scratch/checkout/boot.xml")" 1
equal 'its artifacts are there' "$(grep -c 'Linux version' "$scratch/checkout/boot/console.log")" 1

check 'boot-test: a kernel that takes no module' 1 boot_test --append lockdown=integrity 6.12
equal 'the module fails, eBPF works' "$(failed_tests)" module.load
equal 'what needs the module is skipped' "$(grep -c '^ok [5-7] .* # SKIP the module was not loaded$' "$scratch/out")" 3
output_matches 'for its reason' '^# module.load: .*(Key was rejected|Operation not permitted|Required key)' out

check 'boot-test: no eBPF either' 1 boot_test --append lockdown=confidentiality 6.12
equal 'both fail' "$(failed_tests)" 'bpf.record module.load'

check 'boot-test: a kernel that panics in its boot' 125 boot_test --append rdinit=/nonexistent 6.12
equal 'the boot failed' "$(failed_tests)" boot
equal 'the plan is the same' "$(sed -n 2p "$scratch/out")" 1..8
equal 'what did not run is skipped' "$(grep -c '^ok [3-8] .* # SKIP the kernel did not boot$' "$scratch/out")" 6
output_matches 'for its reason' '^# boot: boot-panic: Kernel panic - not syncing: .* \(console: .*/console\.log\)' out
equal 'JUnit says the same' "$(grep -c 'failure message="boot-panic: Kernel panic - not syncing: ' "$scratch/junit")" 1
equal 'JSON says the same' "$(grep -c '"exit":125,"reason":"boot-panic","cause":"Kernel panic - not syncing: ' "$scratch/json")" 1
equal 'its memory is kept' "$(readelf -h "$scratch/artifacts/vmcore" | grep -c 'CORE (Core file)')" 1

check 'boot-test: a kernel that does not boot in time' 125 boot_test --boot-timeout 1 6.12
output_matches 'for its reason' '^# boot: boot-timeout: ' out

check 'boot-test: a kernel that splats' 126 boot_test --append lockdown=integrity 6.12 -- sh -c \
	'echo "WARNING: CPU: 0 PID: 1 at fs/x.c:1 x+0x1/0x2" >/dev/kmsg'
equal 'the log failed' "$(failed_tests)" 'module.load kernel.log'

check 'boot-test: a test that panics' 126 boot_test --append lockdown=integrity 6.12 -- sh -c \
	'echo starting; printf unended; sleep 0.5; echo c >/proc/sysrq-trigger; sleep 60'
output_matches 'is named' '^# command: the kernel died during the command: Kernel panic - not syncing: sysrq triggered crash' out
equal 'what it printed is kept' "$(tr '\n' ' ' <"$scratch/artifacts/command.log")" 'starting '

# The results are there while it runs.
"$VM/boot-test" --build "$build" --junit "$scratch/junit" --json "$scratch/json" \
	--append lockdown=integrity 6.12 -- sleep 1000 >"$scratch/ktap" 2>/dev/null &
running=$!
for ((i = 0; i < 1200; i++)); do
	! grep -q '^ok 7 ' "$scratch/ktap" || break
	sleep 0.2
done
equal 'KTAP: results as they come' "$(kill -0 $running && grep -c '^\(not \)\?ok [1-7] ' "$scratch/ktap")" 7
kill -INT $running
SECONDS=0
wait $running
equal 'SIGINT of it alone: its status' $? 130
equal 'at once' "$((SECONDS < 5))" 1
equal 'the KTAP ends' "$(tail -n 1 "$scratch/ktap")" 'Bail out! interrupted by SIGINT'
equal 'with the test that ran' "$(grep -c '^# command: interrupted by SIGINT' "$scratch/ktap")" 1
equal 'JUnit has what is known' "$(grep -o 'tests="9" failures="2" errors="0" skipped="4"' "$scratch/junit" | wc -l)" 1
equal 'JSON, too' "$(grep -c '"exit":130,"reason":"interrupted".*"bpf.record","status":"passed"' "$scratch/json")" 1

check 'boot-test: a test that reboots' 126 boot_test --append lockdown=integrity 6.12 -- sh -c \
	'echo b >/proc/sysrq-trigger; sleep 60'
output_matches 'is named' '^# command: the guest rebooted or powered off during the command' out

check 'boot-test: a test that hangs' 124 boot_test --append lockdown=integrity --timeout 40 6.12 -- \
	sleep 1000
output_matches 'is named, with the limit' '^# command: the command did not end within --timeout 40 s \(all tests together\)' out
equal 'its time is in the reports' "$(sed -n 's/.*classname="boot-test" name="command" time="\([0-9]\)[0-9.]*".*/long \1/p' "$scratch/junit" | grep -c 'long [1-9]')" 1

: >"$scratch/killed"
# Nothing is left of one that is killed: its guest's command says which it is.
"$VM/boot-test" --build "$build" --append lockdown=integrity 6.12 -- sleep 98765 \
	>/dev/null 2>&1 &
killed=$!
for ((i = 0; i < 600; i++)); do
	! pgrep -f 'supervise.* sleep 98765$' >/dev/null || break
	sleep 0.2
done
kill -KILL "$killed"
wait "$killed" 2>/dev/null
for ((i = 0; i < 100; i++)); do
	pgrep -f 'supervise.* sleep 98765$' >/dev/null || break
	sleep 0.1
done
cache=${IPCSCOPE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ipcscope}
left=$(find "$cache/tmp" -path '*/boot-test.*/lock' -newer "$scratch/killed" -printf '%h\n')
sleep 1
check 'the next one removes its files' 2 boot_test --allow-splat '(' 6.12
[ -n "$left" ] && [ ! -e "$left" ] || not_ok 'they are removed' "left: $left"
equal 'boot-test: killed, its guest is gone' "$(pgrep -f 'supervise.* sleep 98765$')" ''

# ---- bisect-run -------------------------------------------------------------------

check 'bisect-run: usage' 129 "$VM/bisect-run" good bad
check 'bisect-run: a good kernel' 0 "$VM/bisect-run" 6.12 -- true
check 'bisect-run: a bad one' 1 "$VM/bisect-run" 6.12 -- sh -c 'exit 200'
check 'bisect-run: no image' 125 "$VM/bisect-run" "$scratch/none/bzImage" -- true
check 'bisect-run: a boot that panics is bad' 1 "$VM/bisect-run" --append rdinit=/none 6.12 -- true
check 'or skipped' 125 "$VM/bisect-run" --boot-failure skip --append rdinit=/none 6.12 -- true

# A series of commits, each with the kernel that is built from it.
series()
{
	local key n=0
	git init -q "$scratch/series"
	cd "$scratch/series" || exit
	for key in "$@"; do
		n=$((n + 1))
		echo "$key" >kernel
		echo $n >number
		git add .
		git -c user.name=t -c user.email=t@localhost commit -q -m "$n: $key"
		git tag "n$n"
	done
}

cc -O2 -std=gnu17 -o "$build/operations" "$TOP/tests/overhead/operations.c" ||
	not_ok 'tests/overhead/operations.c' 'does not build'
(series 6.1 6.1 ./not-built 6.1 6.12 6.12)
# A byte there and back by two pipes: 6.12 takes 6 % more instructions than 6.1.
limit=$(for key in 6.1 6.12; do
	"$VM/run" --icount --kernel $key -- "$build/operations" 100
done | awk '$1 == "pipe-ping-pong" { n += $2 } END { print int(n / 2) }')
check 'bisect: the commit whose pipe got slower' 0 env -C "$scratch/series" "$VM/bisect-run" \
	--icount --share "$build" --build true --kernel-by 'cat kernel' n1 n6 -- \
	sh -c '"$1" 100 | awk -v limit="$2" "\$1 == \"pipe-ping-pong\" { exit \$2 > limit }"' sh \
	"$build/operations" "$limit"
output_matches 'is the fifth' '^ +5: 6.12' out
output_matches 'and the third was skipped' 'not-built: skipped'
equal 'the tree is as before' "$(git -C "$scratch/series" bisect log 2>&1 | grep -c 'not bisecting')" 1
# A command that passes, or fails, on all: git alone would name the BAD end, or the commit after GOOD.
bisect() # COMMAND...
{
	env -C "$scratch/series" "$VM/bisect-run" --build true --kernel-by 'cat kernel' n4 n5 -- "$@"
}
check 'bisect: BAD is good' 1 bisect true
output_matches 'that is said' '^vm/bisect-run: BAD is not bad: there is no such commit'
output_matches 'a good step has a line' '^vm/bisect-run: .* 5: 6.12: good$'
check 'bisect: GOOD is bad' 1 bisect false
output_matches 'that is said' '^vm/bisect-run: GOOD is not good: '
check 'bisect: both ends are what they are given for' 0 bisect sh -c 'case $(uname -r) in 6.1.*) ;; *) exit 1 ;; esac'
output_matches 'the second is found' '^vm/bisect-run: the first bad commit is [0-9a-f]+ 5: 6.12$'
check 'git bisect run: the commit that panics' 0 bash -c '
	cd "$1" && git bisect start n6 n1 && git bisect run bash -c "
		if [ \$(cat number) -ge 5 ]; then set -- --append rdinit=/none; fi
		exec $2/bisect-run \"\$@\" \$(sed s,./not-built,6.1, kernel) -- true"' bash "$scratch/series" "$VM"
output_matches 'is the fifth' '^ +5: 6.12' out

# ---- bench-kernels: what it prints; the "kernels" are this one ----------------------

mkdir -p "$scratch/bench"/{tests/bench,vm}
cp "$TOP/tests/bench/kernels" "$scratch/bench/tests/bench/"
cat >"$scratch/bench/vm/run" <<'END'
#!/bin/bash
[ "$1 $3" != '--check none' ] || { echo 'vm/run: unknown kernel' >&2; exit 2; }
[ "$1" != --check ] || exit 0
key=$2
while [ "$1" != -- ]; do shift; done
shift
"$@" || exit
[ "$key" != b ] || sed -i 's/"clocksource":"[^"]*"/"clocksource":"other"/' "$OUT/b.json"
END
chmod +x "$scratch/bench/vm/run"
bench_kernels() # A B
{
	OUT=$scratch/bench/out FAIL_ABOVE=100000 "$scratch/bench/tests/bench/kernels" "$build/ipcscope" "$scratch/bench/out" "$@" \
		--quick --time 0.3 --metric call pipe eventfd
}
check 'bench-kernels: a kernel that is not there' 2 bench_kernels a none
equal 'nothing was measured' "$(ls "$scratch/bench/out")" ''
check 'bench-kernels: nothing is worse' 0 bench_kernels a b
equal 'each case has its row' "$(grep -Ec '^  (pipe|eventfd)/call.*(same|unclear|better)$' "$scratch/out")" 2
output_matches 'the files are named' 'bench-kernels: the tables .*/a\.txt and .*/b\.txt, this is .*/diff\.txt' out
equal 'diff.txt has the rows, too' "$(grep -Ec '^  (pipe|eventfd)/call' "$scratch/bench/out/diff.txt")" 2
output_matches 'clock sources that differ are named' '^bench-kernels: A has the clock source .*, B other: ' out

summary
