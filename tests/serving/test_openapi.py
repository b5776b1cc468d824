"""The document at `/openapi.json`, and whether what the server does is what it says."""

import os

import jsonschema_rs
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]
EXAMPLES = int(os.environ.get("CAPSULE_TEST_API_EXAMPLES", "3"))
"""How many requests of each sort are made up for each operation; by hand, hundreds."""
OPERATIONS = [
    "GET /api/health",
    "GET /api/capsules",
    "POST /api/capsules",
    "GET /api/compare/{a}...{b}",
    "GET /api/capsules/{capsule_id}/environment-verify",
    "POST /api/capsules/{capsule_id}/environment-verify",
    "GET /api/capsules/{capsule_id}/environment",
    "GET /api/environments/{digest}",
    "GET /api/capsules/{capsule_id}",
]
ONLY_NAMES = {"GET /api/health", *(operation for operation in OPERATIONS if operation.endswith(("}", "environment")))}
"""What takes nothing that could be of a wrong type."""
VALID, INVALID = schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE
SENT = [(operation, VALID) for operation in OPERATIONS]
SENT += [(operation, INVALID) for operation in OPERATIONS if operation not in ONLY_NAMES or "..." in operation]


@pytest.fixture(scope="module")
def described(server, post):
    assert post("described").status == 201
    return schemathesis.openapi.from_url(f"{server.url}/openapi.json")


def test_all_operations_are_known_here(described):
    assert [operation.ok().label for operation in described.get_all_operations()] == OPERATIONS


@pytest.mark.slow
@pytest.mark.parametrize(("operation", "mode"), SENT)
def test_whatever_is_sent_is_answered_as_documented(described, token, operation, mode):
    method, path = operation.split()

    @given(case=described[path][method].as_strategy(generation_mode=mode))
    @settings(max_examples=EXAMPLES, suppress_health_check=[*HealthCheck], database=None)
    def answered(case):
        case.call_and_validate(headers={"Authorization": f"Bearer {token}"}, checks=CHECKS)

    answered()


def test_each_answer_has_an_example_of_its_schema(described):
    document = described.raw_schema
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            for status, answer in operation["responses"].items():
                for content in answer.get("content", {}).values():
                    schema = {**content["schema"], "components": document["components"]}
                    assert jsonschema_rs.is_valid(schema, content["example"]), (method, path, status)


def test_each_body_has_an_example_of_its_schema(described):
    for operations in described.raw_schema["paths"].values():
        for operation in operations.values():
            if "requestBody" in operation:
                content = operation["requestBody"]["content"]["application/json"]
                assert jsonschema_rs.is_valid(content["schema"], content["example"])


def test_writing_needs_a_token_and_reading_may_do_without(described):
    paths = described.raw_schema["paths"]
    assert paths["/api/capsules"]["post"]["security"] == [{"token": []}]
    assert {} in paths["/api/capsules"]["get"]["security"]


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_there_is_no_page_that_loads_scripts_from_elsewhere(server, path):
    assert server.get(path).status == 404
