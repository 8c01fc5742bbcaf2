// SPDX-License-Identifier: GPL-2.0-only
// Three writers share a pipe, whose reader takes 12 ms for a block.
#include "../pipeline.h"

int main(void)
{
	pid_t slow;

	make_pipes(1);
	for (int i = 0; i < 3; ++i)
		if (!stage("fan-in-writer", -1, 0))
			produce(0, 35, 4096, 0);
	slow = stage("fan-in-reader", 0, -1);
	if (!slow)
		consume(0, 4096, 0.012);
	wait_for_stages();
	truth("expect slow-stage of=%d:fan-in-reader", slow);
	return 0;
}
