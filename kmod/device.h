/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef IPCSCOPE_DEVICE_H
#define IPCSCOPE_DEVICE_H

int scope_device_register(void);
void scope_device_unregister(void);

#endif /* IPCSCOPE_DEVICE_H */
