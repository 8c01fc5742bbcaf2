// SPDX-License-Identifier: GPL-2.0-only
// A reader takes each read() for a whole record of 16 KiB, and the writer writes by 4 KiB.
#include "../pipeline.h"

int main(void)
{
	pid_t reader;

	make_pipes(1);
	if (!stage("quarter-writer", -1, 0))
		produce(0, 60, 4096, 0.01);
	reader = stage("whole-reader", 0, -1);
	if (!reader)
		consume(0, 16384, 0);
	wait_for_stages();
	truth("expect short-reads of=%d:whole-reader says=60", reader);
	truth("allow slow-stage");
	return 0;
}
