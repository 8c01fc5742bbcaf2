// SPDX-License-Identifier: GPL-2.0-only
/* Can functions be watched by fprobe? */
#include <linux/fprobe.h>

#ifndef CONFIG_FPROBE
#error "not built into this kernel"
#endif
