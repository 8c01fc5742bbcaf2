// SPDX-License-Identifier: GPL-2.0-only
// The last of three stages sleeps 15 ms after each read: it is the slow one.
#include "../pipeline.h"

int main(void)
{
	pid_t slow;

	make_pipes(2);
	if (!stage("fast-source", -1, 0))
		produce(0, 100, 8192, 0);
	if (!stage("fast-middle", 0, 1))
		pass_on(0, 1, 8192);
	slow = stage("slow-sink", 1, -1);
	if (!slow)
		consume(1, 8192, 0.015);
	wait_for_stages();
	truth("expect slow-stage of=%d:slow-sink", slow);
	return 0;
}
