# SPDX-License-Identifier: GPL-2.0-only
# cmake -D CXX=… -D OUTPUT=… -P syscall_names.cmake: OUTPUT becomes a row
# `{__NR_name, "name"},` for each system call of <asm/unistd.h>, and OUTPUT.d what it is
# made of.
cmake_minimum_required(VERSION 3.25)
file(WRITE ${OUTPUT}.c "#include <asm/unistd.h>\n")
execute_process(COMMAND ${CXX} -x c -E -dM -MD -MF ${OUTPUT}.d -MT ${OUTPUT} ${OUTPUT}.c
                OUTPUT_VARIABLE macros COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "#define __NR_[a-z0-9_]+ " names "${macros}")
# These are no system calls, but how many there are and where a machine's own begin.
list(FILTER names EXCLUDE REGEX "__NR_(syscalls|arch_specific_syscall) ")
list(TRANSFORM names REPLACE "#define __NR_(.*) " "{__NR_\\1, \"\\1\"},\n")
string(JOIN "" rows ${names})
file(WRITE ${OUTPUT} "${rows}")
