"""What rounds.py says of rounds that are made up:  python3 -B bench/rounds_test.py"""

import statistics
import time
import unittest

import rounds


class Compare(unittest.TestCase):
    def compare(self, ours, bare, target="", turns=1):
        return rounds.compare("n", "w", "u", ours, bare, statistics.mean, target, turns)

    def test_compares_each_round_with_the_baselines_around_it(self):
        row = self.compare([2.0, 4.0, 8.0], [1.0, 1.0, 3.0, 5.0])
        self.assertEqual([row.low, row.ratio, row.high, row.rounds], [2.0, 2.0, 2.0, 3])

    def test_makes_one_figure_of_each_side_of_a_round(self):
        row = self.compare([1.0, 3.0] + [8.0, 8.0], [1.0, 2.0, 3.0, 4.0, 5.0], turns=2)
        self.assertEqual([row.low, row.high, row.rounds], [2.0 / 2.0, 8.0 / 4.0, 2])

    def test_takes_no_part_of_a_round(self):
        self.assertEqual(self.compare([1.0] * 5, [1.0] * 6, turns=2).rounds, 2)

    def test_says_how_far_baselines_are_apart(self):
        self.assertAlmostEqual(self.compare([1.0] * 12, [1.0, 1.1] * 6 + [1.0]).noise, 0.1, places=2)
        self.assertEqual(self.compare([1.0] * 12, [1.0] * 13).noise, 0)
        # Of one round: 1, 1, 1 against 1.5, 1.5.
        self.assertAlmostEqual(self.compare([1.0] * 4, [1.0, 1.5, 1.0, 1.5, 1.0], turns=4).noise, 1 / 3)

    def test_does_not_judge_what_is_noisy(self):
        self.assertEqual(self.compare([9.0] * 12, [1.1, 1.0] * 6 + [1.1], ">= 0.9").verdict, "not judged: noise 9.5%")

    def test_does_not_judge_few_rounds(self):
        self.assertEqual(self.compare([9.0] * 21, [1.0] * 22, ">= 0.9", turns=3).verdict, "not judged: 7 rounds")
        self.assertEqual(self.compare([9.0] * 24, [1.0] * 25, ">= 0.9", turns=3).verdict, rounds.MET)
        self.assertIn("not measured", self.compare([], [], ">= 0.9").verdict)

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
        ours, bare = rounds.take_turns(side("ours"), {"gso": side("gso"), "sendto": side("sendto")}, time.monotonic() + 60, 2)
        self.assertEqual(order, ["gso", "sendto", "ours"] * 2 + ["gso", "sendto"])
        self.assertEqual((ours, bare), ([3, 6], {"gso": [1, 4, 7], "sendto": [2, 5, 8]}))

    def test_ends_in_time(self):
        self.assertEqual(rounds.take_turns(lambda: 1, {"bare": lambda: 1}, 0), ([], {"bare": []}))


if __name__ == "__main__":
    unittest.main()
