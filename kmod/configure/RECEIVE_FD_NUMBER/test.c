// SPDX-License-Identifier: GPL-2.0-only
/* Is the first argument of __receive_fd() a descriptor?  Until 5.13 (42eb0d54c08a). */
#include <linux/file.h>

int test(struct file *file);
int test(struct file *file)
{
	return __receive_fd(-1, file, NULL, 0);
}
