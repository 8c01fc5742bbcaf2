# SPDX-License-Identifier: GPL-2.0-only
# cmake -D FILES=… -D STAGES=… -D STAMP=… -P includes.cmake: fails where one of FILES
# includes a header of userspace/ that is in no folder of STAGES; else makes STAMP.
cmake_minimum_required(VERSION 3.25)
set(wrong "")
foreach(file IN LISTS FILES)
  file(STRINGS ${file} lines REGEX "^[ \t]*#[ \t]*include[ \t]*\"")
  foreach(line IN LISTS lines)
    # A name without a folder is beside it.
    if(line MATCHES "\"(.*)/[^/]*\"" AND NOT CMAKE_MATCH_1 IN_LIST STAGES)
      string(APPEND wrong "\n  ${file}: ${line}")
    endif()
  endforeach()
endforeach()
if(wrong)
  string(REPLACE ";" ", " stages "${STAGES}")
  message(FATAL_ERROR "Only headers of ${stages} may be included here:${wrong}")
endif()
file(TOUCH ${STAMP})
