// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <rapidcheck.h>

#include "aggregate/report.hpp"

namespace ipcscope {

/// Any report, also one that no trace can give: numbers of every magnitude that
/// contradict each other, names of any bytes.
rc::Gen<aggregate::Report> any_report();

}  // namespace ipcscope
