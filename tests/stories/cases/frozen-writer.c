// SPDX-License-Identifier: GPL-2.0-only
// A reader waits for a source whose cgroup is frozen for 1 s.
#include "../pipeline.h"

int main(void)
{
	pid_t source, reader;

	make_pipes(1);
	source = stage("iced-source", -1, 0);
	if (!source)
		produce(0, 50, 512, 0.01);
	move_to_cgroup("ice", source);
	reader = stage("iced-out", 0, -1);
	if (!reader)
		consume(0, 512, 0);
	keep_ends(-1, -1);
	nap(0.15);
	freeze_cgroup("ice", 1);
	nap(1);
	freeze_cgroup("ice", 0);
	reap(source);
	reap(reader);
	truth("expect partner-frozen of=%d:iced-out with=%d:iced-source secs=1~0.2 says=fr", reader, source);
	truth("allow slow-stage");
	return 0;
}
