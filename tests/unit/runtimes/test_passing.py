"""What a process takes over from the caller."""

from __future__ import annotations

from monolith.runtimes.passing import passed_on, past_the_proxy


def test_only_what_is_named_is_passed_on() -> None:
    assert passed_on({"LANG": "th_TH.UTF-8", "AWS_SECRET_ACCESS_KEY": "x"}) == {
        "LANG": "th_TH.UTF-8"
    }


def test_loopback_goes_past_a_proxy() -> None:
    for name in ("HTTP_PROXY", "https_proxy", "ALL_PROXY"):
        assert past_the_proxy({name: "http://p:1"})["NO_PROXY"] == "127.0.0.1,localhost"
    found = passed_on({"HTTP_PROXY": "http://p:1", "NO_PROXY": "corp.example, 127.0.0.1"})
    assert found["HTTP_PROXY"] == "http://p:1"
    assert found["no_proxy"] == found["NO_PROXY"] == "corp.example,127.0.0.1,localhost"


def test_without_a_proxy_nothing_is_added() -> None:
    assert past_the_proxy({"LANG": "C"}) == {}
