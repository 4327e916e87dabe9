"""How much slower than an idle machine a busy one may be before a test fails."""

# The seconds of a wait in a test are an idle machine's, rounded up. A wait ends with what it waits for, so patience costs
# nothing but where a test fails.
PATIENCE = 5
