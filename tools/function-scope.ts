// Which sources the function map covers: the whole core, and drivers a server or a laptop commonly runs.
// Limited by size (1 MB compressed): when adding a folder, another may have to go.

export const TOP_FOLDERS = [
  'kernel',
  'mm',
  'fs',
  'block',
  'net',
  'lib',
  'security',
  'crypto',
  'ipc',
  'io_uring',
  'init',
  'certs',
  'virt',
  'include',
  'arch/x86',
  'arch/arm64',
  'drivers',
  'sound/core',
];

/** Drivers by folder; a trailing `/*` takes the folder's own files but not what lies below it. */
const DRIVERS = `
  base block nvme scsi/* virtio char/* char/hw_random/core.c char/hw_random/virtio-rng.c char/tpm/* char/ipmi md md/* md/bcache md/persistent-data
  ata/ahci.c ata/libahci.c ata/libahci_platform.c ata/ata_piix.c ata/ata_generic.c ata/libata-core.c ata/libata-scsi.c
  ata/libata-eh.c ata/libata-sff.c ata/libata-sata.c ata/libata-transport.c ata/libata-acpi.c ata/libata-pmp.c ata/libata-zpodd.c
  tty/* tty/vt tty/serial/serial_core.c tty/serial/amba-pl011.c tty/serial/8250/8250_core.c tty/serial/8250/8250_port.c
  tty/serial/8250/8250_pci.c tty/serial/8250/8250_dma.c tty/serial/8250/8250_pnp.c tty/hvc/hvc_console.c tty/serial/serial_base_bus.c
  usb/core usb/common usb/storage/* usb/class/usblp.c usb/class/cdc-acm.c
  usb/host/xhci.c usb/host/xhci-ring.c usb/host/xhci-mem.c usb/host/xhci-hub.c usb/host/xhci-pci.c usb/host/ehci-hcd.c usb/host/ehci-pci.c
  usb/host/uhci-hcd.c input/* input/keyboard/atkbd.c input/mouse/psmouse-base.c input/serio/*
  iommu/* iommu/intel iommu/amd iommu/arm pci/* pci/pcie pci/msi acpi/* acpi/acpica acpi/apei
  thermal/* thermal/intel/* cpufreq/cpufreq.c cpufreq/freq_table.c cpufreq/intel_pstate.c cpufreq/amd-pstate.c cpufreq/acpi-cpufreq.c
  cpufreq/cpufreq_governor.c cpufreq/cpufreq_ondemand.c cpufreq/cpufreq_conservative.c cpufreq/cpufreq_stats.c cpufreq/cppc_cpufreq.c
  cpuidle/* cpuidle/governors clocksource/arm_arch_timer.c clocksource/acpi_pm.c clocksource/hyperv_timer.c clocksource/i8253.c
  firmware/* firmware/efi/* firmware/psci dma/dmaengine.c dma/virt-dma.c dma/ioat dma/idxd
  idle gpu/drm/* gpu/drm/ttm gpu/drm/scheduler hid/hid-core.c hid/hid-input.c hid/hidraw.c hid/hid-generic.c hid/usbhid hid/i2c-hid
  net/* net/bonding net/ethernet/intel/e1000e net/ethernet/intel/e1000 net/ethernet/intel/igb net/ethernet/intel/ixgbe/ixgbe_main.c
  net/ethernet/intel/ixgbe/ixgbe_lib.c net/ethernet/intel/i40e/i40e_main.c net/ethernet/intel/i40e/i40e_txrx.c
  net/ethernet/intel/ice/ice_main.c net/ethernet/intel/ice/ice_txrx.c net/ethernet/intel/ice/ice_base.c net/ethernet/intel/ice/ice_lib.c
  net/ethernet/intel/igc/igc_main.c net/ethernet/intel/iavf/iavf_main.c net/ethernet/intel/iavf/iavf_txrx.c
  net/ethernet/mellanox/mlx5/core/* net/ethernet/broadcom/bnxt/bnxt.c net/ethernet/broadcom/tg3.c net/ethernet/realtek/r8169_main.c
  net/ethernet/mellanox/mlx5/core/en/xdp.c net/ethernet/mellanox/mlx5/core/en/txrx.c
  net/ethernet/amazon net/ethernet/google/gve net/hyperv net/vmxnet3/vmxnet3_drv.c net/team/* net/ipvlan net/wireguard net/vxlan
  net/phy/phy.c net/phy/phy_device.c net/phy/mdio_bus.c net/phy/phylink.c
  xen/* xen/events xen/xenbus hv vhost vfio/* vfio/pci/* watchdog/watchdog_core.c watchdog/watchdog_dev.c watchdog/softdog.c watchdog/iTCO_wdt.c
  rtc/class.c rtc/interface.c rtc/dev.c rtc/lib.c rtc/rtc-cmos.c rtc/rtc-efi.c rtc/rtc-pl031.c mmc/core mmc/host/sdhci.c mmc/host/cqhci-core.c
  i2c/* connector ptp/ptp_clock.c ptp/ptp_chardev.c ptp/ptp_kvm_common.c powercap/powercap_sys.c powercap/intel_rapl_common.c
  android dma-buf nvdimm dax edac/edac_mc.c infiniband/core/* irqchip/irq-gic.c irqchip/irq-gic-v2m.c irqchip/irq-gic-v3.c irqchip/irq-gic-v3-its.c
  opp devfreq/devfreq.c power/supply/power_supply_core.c uio/uio.c pinctrl/* pinctrl/intel/pinctrl-intel.c phy/phy-core.c pwm/core.c gpio/gpiolib.c spi/spi.c leds/led-class.c leds/led-core.c
  leds/led-triggers.c cdrom hwmon/hwmon.c hwmon/coretemp.c misc/vmw_balloon.c bluetooth/btusb.c regulator/core.c clk/clk.c
  mailbox/mailbox.c mailbox/pcc.c interconnect/core.c media/v4l2-core/v4l2-ioctl.c media/v4l2-core/v4l2-dev.c reset/core.c nvmem/core.c
  pnp char/agp clk/* clk/x86 cxl/core cxl/port.c edac/* gpio/gpiolib-acpi.c gpio/gpiolib-devres.c gpio/gpiolib-cdev.c
  gpio/gpiolib-sysfs.c pci/hotplug regulator/devres.c regulator/helpers.c dma/hsu tty/serial/8250/* tty/serdev/core.c
  video/backlight/backlight.c video/hdmi.c video/aperture.c video/console char/tpm/eventlog mfd/mfd-core.c
  power/supply/power_supply_sysfs.c usb/host/pci-quirks.c i2c/busses/i2c-i801.c i2c/busses/i2c-designware-common.c
  i2c/busses/i2c-designware-master.c pps acpi/numa acpi/x86 acpi/arm64 acpi/pmic acpi/dptf
  remoteproc/remoteproc_core.c rpmsg/virtio_rpmsg_bus.c target/* video/fbdev/core
`
  .trim()
  .split(/\s+/);

/** Files that replace others in configurations few machines run: one CPU, no MMU, 32 bits, real-time, old allocators. */
const STAND_IN =
  /^kernel\/(?:sys_ni|up|rcu\/(?:tiny|srcutiny)|time\/(?:posix-stubs|tick-broadcast-hrtimer)|locking\/(?:rtmutex_api|spinlock_rt|rwbase_rt|ww_rt_mutex))\.c$|^mm\/(?:nommu|slab|slob|percpu-km)\.c$|nommu\.c$|_32\.[cS]$|^arch\/x86\/entry\/entry_32\.S$|^arch\/x86\/(?:math-emu|um)\/|^lib\/locking-selftest\.c$/;

/** Whether a file only stands in for others that are usually built; of what both define, the other's definition counts. */
export function isStandIn(path: string): boolean {
  return STAND_IN.test(path);
}

/** Left out of the core: tests, examples, and definitions nobody sees in a stack. */
const LEFT_OUT = new RegExp(
  [
    '(?:^|/)(?:test_|kunit|kasan_test|sample)',
    String.raw`(?:_test|_kunit|-test|-selftest|selftest)\.[ch]$`,
    '^lib/tests/',
    '^include/(?!linux/|net/|trace/|asm-generic/)',
    '^include/linux/(?:mfd|platform_data|iio|amba|mlx4|mlx5|qed|soc|usb|regulator|mtd|firmware|spi|clk|phy|gpio|input|fsl|ssb|bcma|greybus|power|surface|rpmsg|mux|pinctrl|extcon|reset|hsi|dsa|can|avf|ceph|lockd|sunrpc|raid|isdn|sound|byteorder|unaligned)/',
    '^include/net/(?:bluetooth|caif|iucv|nfc|sctp|phonet|9p|libeth|page_pool/helpers)',
    String.raw`^drivers/.*(?<!trace)\.h$`,
    '^arch/(?:x86|arm64)/(?:purgatory|um|realmode|boot)/',
    '^arch/x86/(?:math-emu|platform/(?:ce4100|intel-mid|olpc|scx200|geode|ts5500|iris))/',
    // File systems and protocols that are rarely built
    '^fs/(?:adfs|affs|befs|bfs|coda|cramfs|efs|freevxfs|hfs|hfsplus|hpfs|jfs|jffs2|minix|omfs|orangefs|qnx4|qnx6|reiserfs|romfs|sysv|ufs|zonefs|vboxsf|ocfs2)/',
    '^net/(?:6lowpan|appletalk|atm|ax25|batman-adv|caif|dccp|dsa|hsr|ieee802154|ife|lapb|llc|mac802154|netrom|nfc|phonet|psample|qrtr|rds|rose|rxrpc|x25|tipc|smc|ncsi|mctp)/',
    '^fs/xfs/scrub/',
    '^drivers/md/dm-vdo/',
  ].join('|'),
);

const exact = new Set(DRIVERS.filter((entry) => !entry.endsWith('/*')));
const flat = new Set(DRIVERS.filter((entry) => entry.endsWith('/*')).map((entry) => entry.slice(0, -2)));

/** Whether the functions of a source file go into the map. */
export function isCovered(path: string): boolean {
  if (LEFT_OUT.test(path)) return false;
  if (!path.startsWith('drivers/')) return true;
  const below = path.slice('drivers/'.length);
  if (flat.has(below.slice(0, below.lastIndexOf('/')))) return true;
  for (let cut = below.length; cut > 0; cut = below.lastIndexOf('/', cut - 1))
    if (exact.has(below.slice(0, cut))) return true;
  return false;
}
