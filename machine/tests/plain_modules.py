"""The modules run on the oldest Python of the images, and hold what their types say."""

import ast
import os
import shutil
import subprocess
import unittest

FOLDER = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "dsvmc_machine")
# What a machine has without installing anything.
STANDARD = set(
    "calendar collections contextlib dataclasses email fcntl glob grp hashlib json os pwd re select selectors signal socket stat "
    "subprocess sys tempfile threading time typing urllib __future__".split()
)


class Modules(unittest.TestCase):
    def modules(self):
        for name in sorted(os.listdir(FOLDER)):
            if name.endswith(".py"):
                with open(os.path.join(FOLDER, name), encoding="ascii") as file:
                    yield name, file.read()

    def test_python_3_8_reads_them(self):
        """Ubuntu 20.04 has 3.8, 22.04 has 3.10."""
        for name, text in self.modules():
            with self.subTest(name):
                ast.parse(text, name, feature_version=(3, 8))

    def test_they_need_nothing_but_the_standard_library(self):
        for name, text in self.modules():
            for node in ast.walk(ast.parse(text)):
                names = []
                if isinstance(node, ast.Import):
                    names = [alias.name for alias in node.names]
                elif isinstance(node, ast.ImportFrom) and not node.level:
                    names = [node.module]
                for imported in names:
                    self.assertIn(imported.split(".")[0], STANDARD, name)

    def test_every_public_function_is_described(self):
        for name, text in self.modules():
            for node in ast.parse(text).body:
                if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
                    self.assertIsNotNone(ast.get_docstring(node), "%s: %s" % (name, node.name))

    def test_types(self):
        mypy = shutil.which("mypy")
        if mypy is None:
            self.skipTest("mypy is not installed")
        done = subprocess.run(
            [mypy, "--strict", "--cache-dir", os.devnull, FOLDER], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        self.assertEqual(done.returncode, 0, done.stdout.decode())
