// SPDX-License-Identifier: GPL-2.0-only
// A pipeline whose stages all do nothing but copy.
#include "../pipeline.h"

int main(void)
{
	make_pipes(2);
	if (!stage("speed-source", -1, 0))
		produce(0, 120, 65536, 0);
	if (!stage("speed-middle", 0, 1))
		pass_on(0, 1, 65536);
	if (!stage("speed-sink", 1, -1))
		consume(1, 65536, 0);
	wait_for_stages();
	return 0;
}
