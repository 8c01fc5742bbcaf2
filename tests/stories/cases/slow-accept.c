// SPDX-License-Identifier: GPL-2.0-only
// A server accepts a connection each 0.4 s; of its clients, which only send, those wait that
// find the backlog full.
#include <sys/socket.h>
#include <sys/un.h>

#include "../story.h"

#define CLIENTS 5

int main(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int listener = must(socket(AF_UNIX, SOCK_STREAM, 0));
	pid_t server, clients[CLIENTS];

	snprintf(address.sun_path, sizeof(address.sun_path), "slow-accept.sock");
	must(bind(listener, (void *)&address, sizeof(address)));
	must(listen(listener, 1));
	server = fork_as("server");
	if (!server) {
		char line[8];

		for (int i = 0; i < CLIENTS; ++i) {
			nap(0.400);
			int connected = must(accept(listener, NULL, NULL));

			while (must(read(connected, line, sizeof(line))) > 0)
				;
			close(connected);
		}
		_exit(0);
	}
	for (int i = 0; i < CLIENTS; ++i) {
		clients[i] = fork_as("client");
		if (!clients[i]) {
			int connected = must(socket(AF_UNIX, SOCK_STREAM, 0));

			must(connect(connected, (void *)&address, sizeof(address)));
			must(write(connected, "line", 4));
			_exit(0);
		}
	}
	for (int i = 0; i < CLIENTS; ++i)
		reap(clients[i]);
	reap(server);
	truth("expect slow-stage of=%d:server says=backlog", server);
	return 0;
}
