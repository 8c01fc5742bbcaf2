#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What `make install-vm` installs: the command ipcscope-vm, before any guest runs.

# shellcheck source=tests/vm/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
vm=$scratch/root/usr/bin/ipcscope-vm
install=(make -s -C "$TOP" DESTDIR="$scratch/root" PREFIX=/usr)

check 'make install-vm' 0 "${install[@]}" install-vm
check 'no command' 2 "$vm"
equal '  in one line' "$(wc -l <"$scratch/err")" 1
check 'an unknown command' 2 "$vm" walk
output_matches '  names those that it has' 'known: run shell boot-test'
check '--help' 0 "$vm" --help
sed -n 's/^  \([a-z-]*\)  *[a-z].*/\1/p' "$scratch/out" >"$scratch/commands"
while read -r command; do
	check "$command --help" 0 "$vm" "$command" --help
	grep -q "^\.Cm $command" "$TOP/docs/ipcscope-vm.1" || not_ok "$command" 'no .Cm in the manual page'
done <"$scratch/commands"
equal 'all of them' "$(wc -l <"$scratch/commands")" 8
check 'run --help' 0 "$vm" run --help
output_matches '  by the name that it has here' '^ipcscope-vm run \[options\]' out
# Through a link, too, as of another directory in PATH.
ln -s "$vm" "$scratch/link"
check "status and message are the command's" 2 "$scratch/link" run --kernel 2.4 -- true
output_matches '  an unknown kernel' "unknown kernel '2\.4'"
echo CONFIG_64BIT=y >"$scratch/config"
check 'kconfig' 1 "$vm" kconfig --feature boot "$scratch/config"
output_matches '  reads the installed fragment' '^boot: CONFIG_' out
# Where no kernel is fetched: boot-test has no tracer.
mkdir "$scratch/bin"
for program in bash sh dirname readlink cat sed env; do
	ln -s "$(command -v $program)" "$scratch/bin/$program"
done
check 'boot-test without ipcscope in PATH' 2 env PATH="$scratch/bin" "$vm" boot-test 6.12
output_matches '  is reported' 'no ipcscope in PATH'
check 'make uninstall' 0 "${install[@]}" uninstall
equal '  leaves no file' "$(find "$scratch/root" ! -type d)" ''
summary
