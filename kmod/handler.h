/* SPDX-License-Identifier: GPL-2.0-only */
/* Handlers that threads are in: the memory for them. */
#ifndef IPCSCOPE_KMOD_HANDLER_H
#define IPCSCOPE_KMOD_HANDLER_H

#include <linux/types.h>

struct ipcscope_start;
struct scope_trace;

/* 0 where the trace does not ask for them. */
u64 scope_handlers_bytes(const struct ipcscope_start *config);
int scope_handlers_init(struct scope_trace *trace);

#endif /* IPCSCOPE_KMOD_HANDLER_H */
