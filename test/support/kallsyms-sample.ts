/** A list of symbols with what kallsyms holds: data, an alias, a part split off, padding, modules. */
export const KALLSYMS_SAMPLE = `0000000000000000 A fixed_percpu_data
ffffffff81000000 T _stext
ffffffff81000010 t __pfx_first
ffffffff81000020 t first
ffffffff81000040 T twice
ffffffff81000040 W alias_of_twice
ffffffff81000060 t last.isra.0
ffffffff82000000 D some_data
ffffffffc0201000 t twice\t[ext4]
ffffffffc0101000 T module_function\t[bfq]
`;
