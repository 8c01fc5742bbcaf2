// SPDX-License-Identifier: GPL-2.0-only
/* Has accept() of a socket's protocol a struct proto_accept_arg? */
#include <net/sock.h>

int test(const struct proto_accept_arg *argument);
int test(const struct proto_accept_arg *argument)
{
	return argument->flags;
}
