// SPDX-License-Identifier: GPL-2.0-only
#include <linux/module.h>

#include "device.h"

static int __init scope_init(void)
{
	return scope_device_register();
}

/* It is not open: an open file holds the module. */
static void __exit scope_exit(void)
{
	scope_device_unregister();
}

module_init(scope_init);
module_exit(scope_exit);

MODULE_DESCRIPTION("See where signals and pipes spend their time");
MODULE_AUTHOR("The ipcscope authors");
MODULE_VERSION(SCOPE_VERSION);
MODULE_LICENSE("GPL");
