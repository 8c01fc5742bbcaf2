// SPDX-License-Identifier: GPL-2.0-only
// A stage that splices between a source and a consumer of 60 ms for each block: it and
// the source wait for the consumer.
#include "../pipeline.h"

int main(void)
{
	pid_t client;

	make_pipes(2);
	if (!stage("splice-source", -1, 0))
		produce(0, 24, sizeof(zeros), 0);
	if (!stage("pv-splice", 0, 1)) {
		while (must(splice(pipes[0][0], NULL, pipes[1][1], NULL, sizeof(zeros), 0)) > 0)
			;
		_exit(0);
	}
	client = stage("splice-client", 1, -1);
	if (!client)
		consume(1, sizeof(zeros), 0.06);
	wait_for_stages();
	truth("expect slow-stage of=%d:splice-client", client);
	return 0;
}
