#!/usr/bin/env python3
"""Checks that C++ files name the headers they use, which a build with precompiled headers does not notice.

A file that uses a name of `NAMES` includes the name's header, itself or through headers of this project. The table knows
the headers that cmake/AmtPrecompiled.cmake precompiles. `--self-test` shows that a missing header is found.
"""

import functools
import pathlib
import re
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parent.parent
INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)', re.MULTILINE)
NO_CODE = re.compile(r'//[^\n]*|/\*.*?\*/|R"\((?:.|\n)*?\)"|"(?:\\.|[^"\\\n])*"', re.DOTALL)


def std(words: str) -> str:
    return r"\bstd::(?:" + "|".join(words.split()) + r")\b"


ALGORITHMS = ("all_of any_of none_of binary_search clamp copy copy_if copy_n count count_if equal fill fill_n find find_if "
              "find_if_not for_each generate includes is_sorted lexicographical_compare lower_bound max max_element merge min "
              "min_element minmax mismatch nth_element partition pop_heap push_heap make_heap remove_if replace reverse "
              "rotate search set_difference set_intersection set_union shuffle sort stable_sort transform unique upper_bound")
# Each header with what needs it. Headers after it, which give the same by the standard or in every library.
NAMES: dict[str, tuple[str, str]] = {
    "algorithm": (std(ALGORITHMS) + r"|\bstd::ranges::(?:" + "|".join(ALGORITHMS.split()) + r")\b", ""),
    "array": (std("array to_array"), ""),
    "bit": (std("bit_cast bit_ceil bit_floor bit_width countl_zero countr_zero endian has_single_bit popcount rotl rotr"), ""),
    "cerrno": (r"\berrno\b", "errno.h"),
    "charconv": (std("from_chars to_chars"), ""),
    "chrono": (r"\bstd::chrono::", ""),
    "compare": (std("strong_ordering weak_ordering partial_ordering"), "array map optional set string utility variant vector"),
    "cstddef": (std("byte to_integer"), "span"),
    "cstdint": (r"\bstd::u?int(?:8|16|32|64|max|ptr)_t\b", ""),
    "cstring": (std("memchr memcmp memcpy memmove memset strchr strcmp strerror strlen strncmp strstr"), "string.h"),
    "deque": (std("deque"), ""),
    "functional": (std("bind_front function greater invoke"), ""),
    "map": (std("map multimap"), ""),
    "memory": (std("enable_shared_from_this make_shared make_unique make_unique_for_overwrite shared_ptr unique_ptr weak_ptr"),
               ""),
    "optional": (std("nullopt optional"), ""),
    "set": (std("multiset set"), ""),
    "span": (std("as_bytes as_writable_bytes dynamic_extent span"), ""),
    "string": (std("getline stoi stol stoul stoull string to_string"), "filesystem fstream iostream sstream"),
    "string_view": (std("string_view"), "string filesystem"),
    "utility": (std("as_const exchange forward move pair swap"),
                "algorithm array chrono deque filesystem functional list map memory optional set span string string_view "
                "system_error thread tuple unordered_map variant vector"),
    "variant": (std("get_if holds_alternative monostate variant visit"), ""),
    "vector": (std("vector"), ""),
    "boost/unordered/unordered_flat_map.hpp": (r"\bunordered_flat_map\b", ""),
    "gtest/gtest.h": (r"^\s*TEST(?:_[FP])?\(", "gmock/gmock.h"),
    "gmock/gmock.h": (r"\b(?:EXPECT|ASSERT)_THAT\(", ""),
}
RULES = {header: (re.compile(pattern, re.MULTILINE), {header, *others.split()}) for header, (pattern, others) in NAMES.items()}


def problems(root: pathlib.Path) -> list[str]:
    @functools.cache
    def text_of(path: pathlib.Path) -> str:
        return path.read_text(encoding="utf-8")

    def resolve(path: pathlib.Path, name: str) -> pathlib.Path | None:
        for folder in (path.parent, root / "src", root / "include", root / "tests"):
            if (folder / name).is_file():
                return folder / name
        return None

    def system_headers(path: pathlib.Path) -> set[str]:
        """What `path` includes in angle brackets, itself or through headers of the project."""
        headers, seen, todo = set(), set(), [path]
        while todo:
            here = todo.pop()
            if here in seen:
                continue
            seen.add(here)
            for own, system in INCLUDE.findall(text_of(here)):
                if system:
                    headers.add(system)
                elif found := resolve(here, own):
                    todo.append(found)
        return headers

    complaints = []
    files = [path for folder in ("include", "src", "tests", "bench") for path in sorted((root / folder).rglob("*"))
             if path.suffix in (".cc", ".hh", ".h")]
    for path in files:
        given = system_headers(path)
        code = NO_CODE.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), text_of(path))
        for header, (pattern, enough) in RULES.items():
            match = pattern.search(code)
            if match and not given & enough:
                line = code.count("\n", 0, match.start()) + 1
                complaints.append(f"{path.relative_to(root)}:{line}: `{match.group().strip()}` needs #include <{header}>")
    return complaints


def self_test() -> None:
    def complaints(files: dict[str, str]) -> list[str]:
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for name, text in files.items():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_text(text, encoding="utf-8")
            return problems(root)

    use = "std::vector<int> numbers;\n"
    assert complaints({"src/ip/a.cc": use}), "a missing header"
    assert complaints({"src/ip/a.cc": "#include <array>\n" + use}), "another header"
    assert not complaints({"src/ip/a.cc": "#include <vector>\n" + use}), "its header"
    assert not complaints({"src/ip/a.cc": '#include "ip/a.hh"\n' + use, "src/ip/a.hh": "#include <vector>\n"}), "through another"
    assert complaints({"src/ip/a.hh": use}), "a header by itself"
    assert not complaints({"src/ip/a.cc": '// std::vector\nconst char* text = "std::vector";\n'}), "comments and strings"
    precompiled = re.findall(r"<([^>]+)>", (TOP / "cmake/AmtPrecompiled.cmake").read_text(encoding="utf-8"))
    assert precompiled and not set(precompiled) - set(NAMES), f"no rule for {set(precompiled) - set(NAMES)}"
    print("self-test: a missing header is found, and each precompiled header has a rule")


if __name__ == "__main__":
    if "--self-test" in sys.argv:
        self_test()
        sys.exit(0)
    found = problems(TOP)
    print("\n".join(found) if found else "all files name the headers they use")
    sys.exit(1 if found else 0)
