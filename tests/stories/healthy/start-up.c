// SPDX-License-Identifier: GPL-2.0-only
// The second stage takes 0.5 s to start, and then both run at full speed: start-up is not
// slowness.
#include "../pipeline.h"

int main(void)
{
	make_pipes(1);
	if (!stage("early-source", -1, 0)) {
		nap(0.45);
		produce(0, 40, 16384, 0);
	}
	if (!stage("late-sink", 0, -1)) {
		nap(0.5);
		consume(0, 16384, 0);
	}
	wait_for_stages();
	return 0;
}
