"""What rounds.py says of rounds that are made up:  python3 -B bench/rounds_test.py"""

import time
import unittest

import rounds


class Compare(unittest.TestCase):
    def test_compares_each_round_with_the_baselines_around_it(self):
        ours, bare = [2.0, 4.0, 8.0], [1.0, 1.0, 3.0, 5.0]
        row = rounds.compare("n", "w", "u", ours, bare)
        self.assertEqual([row.low, row.ratio, row.high], [2.0, 2.0, 2.0])

    def test_says_how_far_baselines_are_apart(self):
        row = rounds.compare("n", "w", "u", [1.0] * 12, [1.0, 1.1] * 6 + [1.0])
        self.assertAlmostEqual(row.noise, 0.1, places=2)
        self.assertEqual(rounds.compare("n", "w", "u", [1.0] * 12, [1.0] * 13).noise, 0)

    def test_does_not_judge_what_is_noisy(self):
        noisy = rounds.compare("n", "w", "u", [9.0] * 12, [1.0, 1.1] * 6 + [1.0], ">= 0.9")
        self.assertEqual(noisy.verdict, "not judged: noise 10.0%")

    def test_does_not_judge_few_rounds(self):
        few = rounds.compare("n", "w", "u", [9.0] * 3, [1.0] * 4, ">= 0.9")
        self.assertEqual(few.verdict, "not judged: 3 rounds")
        self.assertIn("not measured", rounds.compare("n", "w", "u", [], [], ">= 0.9").verdict)

    def test_compares_with_the_baselines_of_the_same_round(self):
        row = rounds.compare_interleaved("n", "w", "u", [(1.0, 3.0, 2.0)] * 5 + [(10.0, 30.0, 10.0)] * 3, "<= 1.1")
        self.assertEqual([row.low, row.ratio, row.high, row.rounds], [2.0, 2.0, 3.0, 8])
        self.assertEqual(row.verdict, "not judged: noise 50.0%")
        self.assertEqual(rounds.compare_interleaved("n", "w", "u", [(2.0, 2.0, 2.0)] * 8, "<= 1.1").verdict, rounds.MET)
        self.assertIn("7 rounds", rounds.compare_interleaved("n", "w", "u", [(2.0, 2.0, 2.0)] * 7, "<= 1.1").verdict)

    def test_judges(self):
        for target, value, verdict in ((">= 0.9", 0.9, rounds.MET), (">= 0.9", 0.89, rounds.MISSED),
                                       ("<= 1.1", 1.1, rounds.MET), ("<= 1.1", 1.11, rounds.MISSED), ("> 1", 1.0, rounds.MISSED),
                                       ("== 0", 0, rounds.MET), ("== 0", 1, rounds.MISSED), ("", 1, rounds.NO_TARGET)):
            self.assertEqual(rounds.judge(value, target, 0.01), verdict, (target, value))


class TakeTurns(unittest.TestCase):
    def test_puts_ours_between_baselines(self):
        order = []

        def side(name):
            return lambda: order.append(name) or len(order)
        ours, bare = rounds.take_turns(side("ours"), {"gso": side("gso"), "sendto": side("sendto")}, 2, time.monotonic() + 60)
        self.assertEqual(order, ["gso", "sendto", "ours"] * 2 + ["gso", "sendto"])
        self.assertEqual((ours, bare), ([3, 6], {"gso": [1, 4, 7], "sendto": [2, 5, 8]}))

    def test_ends_in_time(self):
        self.assertEqual(rounds.take_turns(lambda: 1, {"bare": lambda: 1}, 8, 0), ([], {"bare": []}))


if __name__ == "__main__":
    unittest.main()
