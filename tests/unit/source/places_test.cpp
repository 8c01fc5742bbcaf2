// SPDX-License-Identifier: GPL-2.0-only
#include "source/places.hpp"

#include <cstdlib>
#include <filesystem>
#include <string>

#include <gtest/gtest.h>

namespace ipcscope::source {
namespace {

const std::string kId = "9ec39b91f3d70e1beff50a308f77067065ea6be0d91a3378375056cd4422cf3d";
const std::string kOther = "4f797c539e6c745de61a93ca3ff892358ecbcaccd8414d5db545c38428142970";

/// A hierarchy of cgroups, as directories.
class PlacesTest : public testing::Test {
protected:
    PlacesTest()
    {
        std::string pattern = testing::TempDir() + "/places.XXXXXX";
        mount = mkdtemp(pattern.data());
        for (const std::string& path :
             {"/system.slice/docker-" + kId + ".scope/init", "/docker/" + kOther,
              std::string("/system.slice/nginx.service/workers"),
              std::string("/user.slice/user-1000.slice/nginx.service")}) {
            std::filesystem::create_directories(mount + path);
        }
    }
    ~PlacesTest() override { std::filesystem::remove_all(mount); }

    std::vector<std::string> found(const std::vector<std::string>& containers,
                                   const std::vector<std::string>& units)
    {
        const auto places = find_places(containers, units, mount);
        EXPECT_TRUE(places) << places.error().message;
        std::vector<std::string> below;
        for (const std::string& place : places.value_or(std::vector<std::string>{})) {
            below.push_back(place.substr(mount.size()));
        }
        return below;
    }
    std::string error(const std::vector<std::string>& containers,
                      const std::vector<std::string>& units)
    {
        const auto places = find_places(containers, units, mount);
        if (places) {
            return "";
        }
        EXPECT_EQ(places.error().code, Exit::usage);
        return places.error().message;
    }

    std::string mount;
};

TEST_F(PlacesTest, AContainerByTheBeginningOfItsId)
{
    using Paths = std::vector<std::string>;
    EXPECT_EQ(found({"9ec3"}, {}), Paths{"/system.slice/docker-" + kId + ".scope"});
    EXPECT_EQ(found({kOther}, {}), Paths{"/docker/" + kOther});
    EXPECT_EQ(found({"9ec3", "4f79"}, {}).size(), 2u);
    EXPECT_TRUE(found({}, {}).empty());
}

TEST_F(PlacesTest, AUnitByItsName)
{
    EXPECT_EQ(found({}, {"nginx"}).size(), 2u) << "the system's and a user's";
    EXPECT_EQ(found({"9ec3"}, {"nginx.service"}).size(), 3u);
}

TEST_F(PlacesTest, NoneIsAnError)
{
    EXPECT_NE(error({"abc"}, {}).find("--container abc: there is no such container below"), std::string::npos);
    EXPECT_NE(error({""}, {}), "");
    EXPECT_NE(error({"9ec3"}, {"ngin"}).find("--unit ngin:"), std::string::npos);
    EXPECT_NE(error({"\x1b[2J"}, {}).find("\\x1b"), std::string::npos);
    mount.clear();
    EXPECT_NE(error({"9ec3"}, {}).find("not mounted"), std::string::npos);
}

}  // namespace
}  // namespace ipcscope::source
