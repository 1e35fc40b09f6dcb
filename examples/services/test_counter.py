import unittest

from counter import Counter


class CounterTest(unittest.TestCase):
    def setUp(self):
        self.counter = Counter()
        self.counter.forget("home")

    def test_counts_from_one(self):
        self.assertEqual([self.counter.visit("home") for _ in range(3)], [1, 2, 3])

    def test_forgets(self):
        self.counter.visit("home")
        self.assertTrue(self.counter.forget("home"))
        self.assertEqual(self.counter.visit("home"), 1)


if __name__ == "__main__":
    unittest.main()
