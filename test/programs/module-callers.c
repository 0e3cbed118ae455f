/* Callers of `target` of each kind, for tests of what an object file's relocations and code say. */
extern void target(int);
extern void other(int);

static void (*kept)(int);

struct operations {
	void (*first)(int);
	void (*second)(int);
};

/* Its address is kept: the second member. */
const struct operations operations = { other, target };

__attribute__((noinline)) void direct_caller(int n)
{
	target(n);
	other(n);
	target(n + 1);
	__asm__ volatile("");
}

__attribute__((noinline)) void tail_caller(int n)
{
	other(n);
	target(n);
}

__attribute__((noinline)) static int local_callee(int n)
{
	__asm__ volatile("" : "+r"(n));
	return n * 3;
}

__attribute__((noinline)) int local_caller(int n)
{
	return local_callee(n) + local_callee(n + 1);
}

void takes_address(void)
{
	kept = target;
}

void calls_pointer(int n)
{
	kept(n);
	__asm__ volatile("");
}
