"""Writes the comment of a pull request, or replaces the one that is there: the first of ours that begins with the mark.

Reads DSVMC_REPORT/comment.md. From the environment: GITHUB_API_URL, GITHUB_REPOSITORY, GITHUB_TOKEN, PULL_REQUEST. Needs Python 3.9
and nothing else. The token is sent to that address only, and never printed.
"""

import json
import os
import pathlib
import re
import sys
import urllib.error
import urllib.request

MARK = "<!-- dsvmc -->"
MOST_PAGES = 50


def call(method, address, token, body=None):
    request = urllib.request.Request(address, method=method, data=json.dumps(body).encode() if body else None)
    request.add_header("Accept", "application/vnd.github+json")
    request.add_header("Authorization", f"Bearer {token}")
    request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def main():
    api = os.environ.get("GITHUB_API_URL", "https://api.github.com").rstrip("/")
    if not re.match(r"https://|http://(localhost|127\.0\.0\.1)(:|/|$)", api):
        sys.exit("the token is sent to https addresses only")
    repository, number, token = (os.environ[name] for name in ("GITHUB_REPOSITORY", "PULL_REQUEST", "GITHUB_TOKEN"))
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", repository) or not number.isdigit():
        sys.exit("GITHUB_REPOSITORY and PULL_REQUEST name no pull request")
    text = (pathlib.Path(os.environ.get("DSVMC_REPORT", "dsvmc-report")) / "comment.md").read_text(encoding="utf-8", errors="replace")
    text = text[:65000]
    comments = f"{api}/repos/{repository}/issues/{number}/comments"
    try:
        for page in range(1, MOST_PAGES + 1):
            found = call("GET", f"{comments}?per_page=100&page={page}", token)
            # Somebody else can copy the mark: only a comment of an app or of this workflow is replaced.
            ours = [c for c in found if c["body"].startswith(MARK) and c["user"]["type"] == "Bot"]
            if ours:
                call("PATCH", f"{api}/repos/{repository}/issues/comments/{int(ours[0]['id'])}", token, {"body": text})
                print("replaced the comment")
                return
            if len(found) < 100:
                break
        call("POST", comments, token, {"body": text})
        print("wrote the comment")
    except urllib.error.HTTPError as error:
        sys.exit(f"the comment could not be written: the service answers {error.code}")
    except urllib.error.URLError as error:
        sys.exit(f"the comment could not be written: {error.reason}")


main()
