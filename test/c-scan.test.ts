import { expect, test } from 'vitest';
import { type Macro, scanAssembly, scanCode, splitMacros, stripComments } from '../tools/c-scan.ts';

/** The functions a C text defines; `header` holds macros from elsewhere. */
function functionsOf(source: string, header = ''): string[] {
  const shared = splitMacros(stripComments(header)).macros;
  const { code, macros } = splitMacros(stripComments(source));
  const functions = new Set<string>();
  const find = (name: string): Macro | undefined => macros.get(name) ?? shared.get(name);
  scanCode(code, find, functions);
  return [...functions].sort();
}

test('finds definitions, not declarations, calls or initialised variables', () => {
  const source = `
/* int commented(void) { } */
static int helper(const char *s);
extern void outside(int a);
static const struct file_operations fops = { .open = helper, };
static inline struct rb_node *first(struct rb_root *root) { return root->rb_node; }
int __init
setup(int a,
      int (*callback)(int))
	__must_hold(&lock)
{
	if (a) { helper("}"); }
	return callback('{');
}
`;
  expect(functionsOf(source)).toEqual(['first', 'setup']);
});

test('braces that #if branches leave open do not hide the next function', () => {
  const source = `
void one(void)
{
#ifdef CONFIG_A
	if (a) {
#else
	if (b) {
#endif
	}
}

void two(void)
{
}
`;
  expect(functionsOf(source)).toEqual(['one', 'two']);
});

test('system calls get their folded name', () => {
  expect(
    functionsOf('SYSCALL_DEFINE3(write, unsigned int, fd, const char __user *, buf, size_t, count)\n{\n}\n'),
  ).toEqual(['sys_write']);
  expect(functionsOf('COMPAT_SYSCALL_DEFINE1(ioctl, int, fd)\n{\n}\n')).toEqual(['compat_sys_ioctl']);
});

test('macros that make functions are expanded, with or without a body of their own', () => {
  const header = `
#define INTERVAL_TREE_DEFINE(ITSTRUCT, ITSTATIC, ITPREFIX)		\\
/* comment that	\\
 * goes on */	\\
ITSTATIC void ITPREFIX ## _insert(ITSTRUCT *node)	\\
{ while (1) { } }	\\
ITSTATIC ITSTRUCT *	\\
ITPREFIX ## _first(void)	\\
{ return NULL; }
#define DEFINE_IDTENTRY_RAW(func) __visible noinstr void func(struct pt_regs *regs)
`;
  const source = `
INTERVAL_TREE_DEFINE(struct memtype, static, interval)

static int limit = 3;
DEFINE_IDTENTRY_RAW(exc_int3)
{
}
`;
  expect(functionsOf(source, header)).toEqual(['exc_int3', 'interval_first', 'interval_insert']);
});

test('assembly entry points', () => {
  const source =
    'SYM_CODE_START(entry_SYSCALL_64)\n\tUNWIND_HINT_ENTRY\nSYM_INNER_LABEL(entry_SYSCALL_64_after_hwframe, SYM_L_GLOBAL)\n1:\n';
  expect([...scanAssembly(source)]).toEqual(['entry_SYSCALL_64', 'entry_SYSCALL_64_after_hwframe']);
});
