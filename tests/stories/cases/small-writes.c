// SPDX-License-Identifier: GPL-2.0-only
// 4,000 writes of one byte, each of which wakes the reader up.
#include "../pipeline.h"

int main(void)
{
	pid_t writer;

	make_pipes(1);
	writer = stage("byte-writer", -1, 0);
	if (!writer)
		produce(0, 4000, 1, 0);
	if (!stage("byte-reader", 0, -1))
		consume(0, 4096, 0);
	wait_for_stages();
	truth("expect small-writes of=%d:byte-writer says=4000", writer);
	truth("allow short-reads|slow-stage");
	return 0;
}
