// SPDX-License-Identifier: GPL-2.0-only
/*
 * The frames that the guest sends (protocol.h), for vm/supervise.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "supervise.h"

static void handle_status(struct guest *g, const char *data, size_t size)
{
	if (size != sizeof(g->status)) {
		print_message("the guest's status is malformed");
		g->verdict = EXIT_NO_VERDICT;
		return;
	}
	memcpy(&g->status, data, size);
	if (memcmp(g->status.token, g->token, TOKEN_BYTES)) {
		print_message("the guest's status does not carry this run's token");
		g->verdict = EXIT_NO_VERDICT;
	} else if (g->status.out_bytes != g->out_bytes ||
		   g->status.err_bytes != g->err_bytes) {
		print_message("output lost on the way: %llu+%llu bytes sent, %llu+%llu received",
		    (unsigned long long)g->status.out_bytes,
		    (unsigned long long)g->status.err_bytes,
		    (unsigned long long)g->out_bytes,
		    (unsigned long long)g->err_bytes);
		g->verdict = EXIT_NO_VERDICT;
	} else if (g->status.share_errors) {
		print_message("%u share(s) could not be written back", g->status.share_errors);
		g->verdict = EXIT_NO_VERDICT;
	}
	g->have_status = 1;
	g->acked_ms = now_ms();
	buffer_append_frame(&g->to_port, FRAME_ACK, NULL, 0);
}

static void handle_frame(struct guest *g, int type, const char *data, size_t size)
{
	switch (type) {
	case FRAME_HELLO:
		g->hello = 1;
		if (g->opt->verbose)
			print_message("%lld ms: %.*s is up", now_ms() - g->started_ms,
			    (int)size, data);
		break;
	case FRAME_START:
		g->running = 1;
		g->running_ms = now_ms();
		if (g->opt->verbose)
			print_message("%lld ms: the command starts",
			    now_ms() - g->started_ms);
		break;
	case FRAME_OUT:
		g->out_bytes += size;
		buffer_append(&g->out, data, size);
		break;
	case FRAME_ERR:
		g->err_bytes += size;
		buffer_append(&g->err, data, size);
		break;
	case FRAME_KLOG:
		buffer_append_log(&g->klog, data, size);
		g->klog_ms = now_ms();
		break;
	case FRAME_STACKS:
		g->have_stacks = 1;
		break;
	case FRAME_FATAL:
		print_message("the guest could not start: %.*s", (int)size, data);
		g->verdict = EXIT_NO_VERDICT;
		g->reason = "no-start";
		break;
	case FRAME_STATUS:
		handle_status(g, data, size);
		break;
	default:
		print_message("the guest sent an unknown frame (%d)", type);
		g->verdict = EXIT_NO_VERDICT;
	}
}

void handle_frames(struct guest *g)
{
	struct frame_header header;

	while (buffer_used(&g->in) >= sizeof(header) && g->verdict < 0) {
		const char *at = g->in.data + g->in.head;

		memcpy(&header, at, sizeof(header));
		if (header.length_bytes > FRAME_MAX_BYTES) {
			print_message("the guest sent a frame that is too long");
			g->verdict = EXIT_NO_VERDICT;
			return;
		}
		if (buffer_used(&g->in) < sizeof(header) + header.length_bytes)
			return;
		if (header.session)
			session_frame(g, header.session, header.type,
				      at + sizeof(header), header.length_bytes);
		else
			handle_frame(g, header.type, at + sizeof(header),
				     header.length_bytes);
		g->in.head += sizeof(header) + header.length_bytes;
	}
}
