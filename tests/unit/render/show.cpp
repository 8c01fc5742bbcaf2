// SPDX-License-Identifier: GPL-2.0-only
#include "diagnose/diagnose.hpp"
#include "sample.hpp"

namespace ipcscope::sample {

std::string text(const aggregate::Report& report, const render::TextOptions& options)
{
    return render::text(report, diagnose::diagnose(report), options);
}

std::string json(const aggregate::Report& report)
{
    return render::json(report, diagnose::diagnose(report));
}

}  // namespace ipcscope::sample
