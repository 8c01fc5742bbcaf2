// SPDX-License-Identifier: GPL-2.0-only
/* Is there get_kretprobe()? */
#include <linux/kprobes.h>

struct kretprobe *test(struct kretprobe_instance *instance);
struct kretprobe *test(struct kretprobe_instance *instance)
{
	return get_kretprobe(instance);
}
