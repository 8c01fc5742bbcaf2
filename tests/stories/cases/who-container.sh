#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A process of a unit ends one of a container: both are known by their cgroups.
# shellcheck source=tests/stories/story.sh
. "$STORY_LIB/story.sh"
id=9ec39b91f3d70e1beff50a308f77067065ea6be0d91a3378375056cd4422cf3d
mkdir "$STORY_CGROUP/docker-$id.scope" "$STORY_CGROUP/cleaner.service"
bash -c "echo \$\$ >$STORY_CGROUP/docker-$id.scope/cgroup.procs; exec sleep 30" &
target=$!
wait_state $target S sleep
bash -c "echo \$\$ >$STORY_CGROUP/cleaner.service/cgroup.procs; sleep 0.3; kill -KILL $target; sleep 1.5; :" &
sender=$!
wait $target 2>/dev/null
read_now
wait
rmdir "$STORY_CGROUP/docker-$id.scope" "$STORY_CGROUP/cleaner.service"
truth "expect ended-by-process of=$target:sleep with=$sender:bash at=$now says=SIGKILL place=$target:docker/$id place=$sender:cleaner.service"
