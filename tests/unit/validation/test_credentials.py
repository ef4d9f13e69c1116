"""Secrets are found by form or by name; samples, hashes and prose stay. All keys here are made up."""

import time

import pytest

from validation.credentials import find_secrets
from validation.guardrails.guardrails_offline import offline_guard, silence_guardrails

_JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N"


@pytest.mark.parametrize(
    ("text", "kind", "secret"),
    [
        ("Use AKIAZ3MSJV4WWNKWW5FG.", "aws_key", "AKIAZ3MSJV4WWNKWW5FG"),
        ("ghp_" + "a1B2" * 9, "github_token", "ghp_" + "a1B2" * 9),
        ("xoxb-" + "2345678901-abcdefGHIJ", "slack_token", "xoxb-2345678901-abcdefGHIJ"),
        ("sk_live_" + "4eC39HqLyjWDarjt", "stripe_key", "sk_live_4eC39HqLyjWDarjt"),
        ("sk-proj-" + "abc123DEF456ghi789JKL0", "openai_key", "sk-proj-abc123DEF456ghi789JKL0"),
        ("AIza" + "SyD-9tSrke72PouQMnMX-a7eZSW0jkFMBWY", "google_key", "AIzaSyD-9tSrke72PouQMnMX-a7eZSW0jkFMBWY"),
        (f"It is {_JWT}!", "jwt", _JWT),
        ("Authorization: Bearer 8f3kd9s0d8f7g6h5j4k3l2m1", "authorization", "8f3kd9s0d8f7g6h5j4k3l2m1"),
        ("password=hunter2!", "password", "hunter2!"),
        ("The wifi password is Sommer2024.", "password", "Sommer2024"),
        ('"client_secret": "8Q~fR2.kd93kLsd0"', "secret", "8Q~fR2.kd93kLsd0"),
        ("postgres://admin:s3cr3tpw@db.internal/x", "password", "s3cr3tpw"),
        ("token=5f4dcc3b5aa765d61d8327deb882cf99", "secret", "5f4dcc3b5aa765d61d8327deb882cf99"),
    ],
)
def test_a_secret_is_found(text: str, kind: str, secret: str) -> None:
    assert [(found.kind, text[found.start : found.end]) for found in find_secrets(text)] == [(kind, secret)]


def test_a_private_key_is_found_whole_even_without_its_end() -> None:
    key = "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA7\n"
    assert [(found.start, found.end) for found in find_secrets(key)] == [(0, len(key))]


@pytest.mark.parametrize(
    "text",
    [
        "Password: must be at least 8 characters",
        "The commit 5f4dcc3b5aa765d61d8327deb882cf99 fixed it.",
        "The id is 550e8400-e29b-41d4-a716-446655440000.",
        "max_tokens: 102400000",
        "api_key='your-api-key-here'",
        'export ANTHROPIC_API_KEY="sk-ant-api03-j1W..."',
        "AKIAIOSFODNN7EXAMPLE",
        "token_count=123456789abc",
        "Scikit-learn is imported as sk-learn.",
        "password=os.environ['PASSWORD_1']",
        "Send the header Authorization: Bearer $TOKEN.",
        "",
    ],
)
def test_samples_hashes_and_prose_stay(text: str) -> None:
    assert find_secrets(text) == ()


@pytest.mark.parametrize(
    "piece", ["password ", "sk-", "eyJa.", "-----BEGIN PRIVATE KEY-----", "token: ", "a://b:", "key="]
)
def test_time_grows_with_length_alone(piece: str) -> None:
    began = time.thread_time()
    find_secrets(piece * (20_000 // len(piece)))
    assert time.thread_time() - began < 2


def test_in_a_plain_guard() -> None:
    silence_guardrails()
    from validation.guardrails.guardrails_secrets import Secrets

    outcome = offline_guard(Secrets()).validate("Log in with password=hunter2! and wait.")
    assert outcome.validated_output == "Log in with password=[secret] and wait."
