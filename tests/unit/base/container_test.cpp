// SPDX-License-Identifier: GPL-2.0-only
#include "base/container.hpp"

#include <gtest/gtest.h>

namespace ipcscope {
namespace {

const std::string kId = "9ec39b91f3d70e1beff50a308f77067065ea6be0d91a3378375056cd4422cf3d";
const std::string kOther = "4f797c539e6c745de61a93ca3ff892358ecbcaccd8414d5db545c38428142970";

/// "docker 9ec39b91f3d7 nginx.service"
std::string place(const std::string& path)
{
    const Place found = place_of(path);
    std::string text = std::string(found.runtime) + " " +
                       std::string(short_id(found.container)) + " " + found.unit;
    return text;
}

TEST(Place, OfContainers)
{
    EXPECT_EQ(place("/system.slice/docker-" + kId + ".scope"), "docker 9ec39b91f3d7 ");
    EXPECT_EQ(place("/docker/" + kId), "docker 9ec39b91f3d7 ");
    EXPECT_EQ(place("/machine.slice/libpod-" + kId + ".scope"), "podman 9ec39b91f3d7 ");
    EXPECT_EQ(place("/machine.slice/libpod-" + kId + ".scope/container"),
              "podman 9ec39b91f3d7 ");
    EXPECT_EQ(place("/libpod_parent/libpod-" + kId), "podman 9ec39b91f3d7 ");
    EXPECT_EQ(place("/system.slice/app.service/libpod-payload-" + kId),
              "podman 9ec39b91f3d7 app.service");
    EXPECT_EQ(place("/kubepods.slice/kubepods-burstable.slice/"
                    "kubepods-burstable-pod00000000_0000_0000_0000_000000000000.slice/"
                    "cri-containerd-" + kId + ".scope"),
              "containerd 9ec39b91f3d7 ");
    EXPECT_EQ(place("/kubepods.slice/kubepods-pod0.slice/crio-" + kId + ".scope"),
              "cri-o 9ec39b91f3d7 ");
    EXPECT_EQ(place("/kubepods/besteffort/podac04f3f2-1f2c/" + kId), "kubernetes 9ec39b91f3d7 ");
    EXPECT_EQ(place("/kubepods/besteffort/podac04f3f2-1f2c/crio-" + kId), "cri-o 9ec39b91f3d7 ");
    EXPECT_EQ(place("/mine/" + kId), "container 9ec39b91f3d7 ");
    EXPECT_EQ(place("/lxc/web/system.slice/cron.service"), "lxc web cron.service");
    EXPECT_EQ(place("/lxc.payload.web"), "lxc web ");
    EXPECT_EQ(place("/lxc.payload/web"), "lxc web ");
}

TEST(Place, OfMonitorsIsNoContainer)
{
    EXPECT_EQ(place("/machine.slice/libpod-conmon-" + kId + ".scope"),
              "  libpod-conmon-" + kId + ".scope");
    EXPECT_EQ(place("/kubepods.slice/crio-conmon-" + kId + ".scope"),
              "  crio-conmon-" + kId + ".scope");
    EXPECT_EQ(place("/lxc.monitor.web"), "  ");
}

TEST(Place, OfUnits)
{
    EXPECT_EQ(place("/system.slice/nginx.service"), "  nginx.service");
    EXPECT_EQ(place("/system.slice/nginx.service/workers"), "  nginx.service");
    EXPECT_EQ(place("/user.slice/user-1000.slice/user@1000.service/app.slice/mail.service"),
              "  mail.service");
    EXPECT_EQ(place("/user.slice/user-1000.slice/session-3.scope"), "  session-3.scope");
    EXPECT_EQ(place("/init.scope"), "  init.scope");
    EXPECT_EQ(place("/system.slice/_cgroup.service"), "  cgroup.service");
    EXPECT_EQ(place("/system.slice/docker-" + kId + ".scope/system.slice/nginx.service"),
              "docker 9ec39b91f3d7 nginx.service");
}

TEST(Place, TheInnermostOfSeveral)
{
    EXPECT_EQ(place("/docker/" + kOther + "/docker/" + kId), "docker 9ec39b91f3d7 ");
}

TEST(Place, OfHostileNames)
{
    for (const std::string path :
         {"", "/", "////", "/.service", "/.scope", "/docker/", "/docker/..",
          "/lxc/", "/lxc.payload.", "/kubepods"}) {
        EXPECT_EQ(place_of(path), Place{}) << path;
    }
    EXPECT_EQ(place("/docker-.scope"), "  docker-.scope");
    EXPECT_EQ(place("/docker-" + kId.substr(1) + ".scope"),
              "  docker-" + kId.substr(1) + ".scope");
    EXPECT_EQ(place("/docker-" + kId + "0.scope").substr(0, 2), "  ");
    std::string upper = kId;
    upper[0] = 'G';
    EXPECT_EQ(place("/docker/" + upper), "  ");
    EXPECT_EQ(place("/docker-" + kId + ".scope.x"), "  ");
    EXPECT_EQ(place(std::string("/a\0.service", 11)).substr(0, 3), "  a");
    EXPECT_EQ(place("/" + std::string(100000, 'a') + "/b.service"), "  b.service");
}

TEST(Place, IsFoundByTheBeginningOfAnId)
{
    const Place docker = place_of("/docker/" + kId);
    EXPECT_TRUE(is_container(docker, "9ec3"));
    EXPECT_TRUE(is_container(docker, kId));
    EXPECT_FALSE(is_container(docker, "ec3"));
    EXPECT_FALSE(is_container(docker, ""));
    EXPECT_FALSE(is_container(Place{}, ""));
    EXPECT_FALSE(is_container(Place{}, "9"));
}

TEST(Place, IsFoundByTheNameOfAUnit)
{
    const Place unit = place_of("/system.slice/nginx.service");
    EXPECT_TRUE(is_unit(unit, "nginx"));
    EXPECT_TRUE(is_unit(unit, "nginx.service"));
    EXPECT_FALSE(is_unit(unit, "ngin"));
    EXPECT_FALSE(is_unit(unit, ""));
    EXPECT_FALSE(is_unit(Place{}, ""));
    EXPECT_TRUE(is_unit(place_of("/a/session-3.scope"), "session-3.scope"));
    EXPECT_FALSE(is_unit(place_of("/a/session-3.scope"), "session-3"));
}

}  // namespace
}  // namespace ipcscope
