/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef IPCSCOPE_LAB_NMI_H
#define IPCSCOPE_LAB_NMI_H

#include "lab.h"

int lab_nmi_init(void);
void lab_nmi_exit(void);

/* 0, -EINVAL, or -ETIMEDOUT: one of them has not come within a second. */
int lab_nmi_send(const struct ipcscope_lab_nmi *order);

#endif /* IPCSCOPE_LAB_NMI_H */
