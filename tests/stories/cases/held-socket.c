// SPDX-License-Identifier: GPL-2.0-only
// A server forks a worker for each connection and does not close its own descriptor of it: the
// client reads the answer, and then waits for the end of file until the server closes.
#include <sys/socket.h>
#include <sys/un.h>

#include "../story.h"

static void get(const struct sockaddr_un *address)
{
	char data[1000];
	int connected = must(socket(AF_UNIX, SOCK_STREAM, 0));

	must(connect(connected, (const void *)address, sizeof(*address)));
	must(write(connected, "get", 3));
	while (must(read(connected, data, sizeof(data))) > 0)
		;
	_exit(0);
}

int main(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int listener = must(socket(AF_UNIX, SOCK_STREAM, 0)), connected;
	pid_t client, worker;
	double since;

	snprintf(address.sun_path, sizeof(address.sun_path), "held-socket.sock");
	must(bind(listener, (void *)&address, sizeof(address)));
	must(listen(listener, 1));
	client = fork_as("client");
	if (!client)
		get(&address);
	connected = must(accept(listener, NULL, NULL));
	worker = fork_as("worker");
	if (!worker) {
		char request[8], answer[2000] = { 0 };

		must(read(connected, request, sizeof(request)));
		must(write(connected, answer, sizeof(answer)));
		_exit(0);
	}
	reap(worker);
	since = now();
	nap(2);
	close(connected);
	reap(client);
	truth("expect end-held-open of=%d:client with=%d:held-socket at=%.3f~0.2 secs=2.0~0.2 "
	      "says=\"never sent to it\" says=shutdown level=warning", client, getpid(), since);
}
