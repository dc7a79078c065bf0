// SPDX-License-Identifier: GPL-2.0
/*
 * The DeepRacer's hardware as a kernel sees it, for the emulated car: a PWM chip of 17 channels on an I2C bus below PCI
 * function 00:17.0, the 78 lines of the North GPIO community from number 434, and the drive battery's gauge at 0x3f on a
 * bus below 00:17.3 (car.md §1, §7). Moves nothing.
 *
 * Its other half is an observer that the driving program knows nothing of: every write that reaches the PWM chip and
 * every change of a line is kept with its time (CLOCK_MONOTONIC, ns) and can be read in debugfs:
 *
 *   drsim/log    NS pwm CHANNEL DUTY_NS PERIOD_NS ENABLED    what reached the chip
 *                NS gpio LINE in|0|1                         a line's direction or level
 *                NS gauge VALUE|fails                        an answer of the gauge
 *                NS mark TEXT                                what a test wrote to drsim/mark
 *                lost N                                      older entries that there was no room for
 *   drsim/mark   a test's own words, on the same clock and in the same order
 *   drsim/now    THROTTLE_NS STEERING_NS GATE    what stands there; the gate as 0, 1 or in
 *
 * Parameters: batt (the gauge's reading), batt_fail (it does not answer), pwm_fail (a write to the chip is lost with
 * EREMOTEIO, as with a dead supply). Written for Debian 12's 6.1 kernel; the PWM and GPIO interfaces changed later.
 */
#include <linux/debugfs.h>
#include <linux/gpio/driver.h>
#include <linux/i2c.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/pwm.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#define CHANNELS 17
#define LINES 78
#define FIRST_LINE 434
#define GATE_LINE 2
#define PINS_ADDRESS 0x55
#define GAUGE_ADDRESS 0x3f
#define GAUGE_REGISTER 0x03
#define ENTRIES 32768
#define WORDS 48

static unsigned int batt = 0xec;
module_param(batt, uint, 0644);
MODULE_PARM_DESC(batt, "the gauge's reading, 0 to 255");
static bool batt_fail;
module_param(batt_fail, bool, 0644);
MODULE_PARM_DESC(batt_fail, "the gauge does not answer");
static bool pwm_fail;
module_param(pwm_fail, bool, 0644);
MODULE_PARM_DESC(pwm_fail, "writes to the PWM chip fail");

static struct pwm_chip pins;
static struct gpio_chip north;
static DECLARE_BITMAP(outward, LINES);
static DECLARE_BITMAP(high, LINES);

/* ---- the observer ---- */

enum kind { PWM, LINE_OUT, LINE_IN, GAUGE, MARK };

struct entry {
	u64 at;
	u32 kind, which, value, period;
	bool enabled;
	char words[WORDS];
};

static struct entry *ring;
static u64 written;
static DEFINE_SPINLOCK(ring_lock);
static struct dentry *folder;

static void note(struct entry entry)
{
	unsigned long flags;

	spin_lock_irqsave(&ring_lock, flags);
	/* Under the lock, so that the order of entries is the order of times. */
	entry.at = ktime_get_ns();
	ring[written++ % ENTRIES] = entry;
	spin_unlock_irqrestore(&ring_lock, flags);
}

static void show(struct seq_file *out, const struct entry *entry)
{
	seq_printf(out, "%llu ", entry->at);
	switch (entry->kind) {
	case PWM:
		seq_printf(out, "pwm %u %u %u %d\n", entry->which, entry->value, entry->period, entry->enabled);
		break;
	case LINE_OUT:
		seq_printf(out, "gpio %u %u\n", entry->which, entry->value);
		break;
	case LINE_IN:
		seq_printf(out, "gpio %u in\n", entry->which);
		break;
	case GAUGE:
		if (entry->enabled)
			seq_printf(out, "gauge %u\n", entry->value);
		else
			seq_puts(out, "gauge fails\n");
		break;
	default:
		seq_printf(out, "mark %s\n", entry->words);
	}
}

static int log_show(struct seq_file *out, void *unused)
{
	unsigned long flags;
	struct entry *copy;
	u64 end, at;

	copy = vmalloc(array_size(ENTRIES, sizeof(*copy)));
	if (!copy)
		return -ENOMEM;
	spin_lock_irqsave(&ring_lock, flags);
	end = written;
	memcpy(copy, ring, array_size(ENTRIES, sizeof(*copy)));
	spin_unlock_irqrestore(&ring_lock, flags);
	at = end > ENTRIES ? end - ENTRIES : 0;
	if (at)
		seq_printf(out, "lost %llu\n", at);
	for (; at < end; at++)
		show(out, &copy[at % ENTRIES]);
	vfree(copy);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(log);

static int now_show(struct seq_file *out, void *unused)
{
	const char *gate = !test_bit(GATE_LINE, outward) ? "in" : test_bit(GATE_LINE, high) ? "1" : "0";

	seq_printf(out, "%llu %llu %s\n", pins.pwms[0].state.duty_cycle, pins.pwms[1].state.duty_cycle, gate);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(now);

/* A mark from inside the kernel, for a fault that is made there (unplug.c). */
void drsim_mark(const char *words);
void drsim_mark(const char *words)
{
	struct entry entry = { .kind = MARK };

	strscpy(entry.words, words, WORDS);
	note(entry);
}
EXPORT_SYMBOL_GPL(drsim_mark);

static ssize_t mark_write(struct file *file, const char __user *from, size_t count, loff_t *at)
{
	char words[WORDS] = "";

	if (copy_from_user(words, from, min_t(size_t, count, WORDS - 1)))
		return -EFAULT;
	strreplace(words, '\n', '\0');
	drsim_mark(words);
	return count;
}

static const struct file_operations mark_fops = {
	.owner = THIS_MODULE,
	.write = mark_write,
};

/* ---- the PWM chip ---- */

static int pins_apply(struct pwm_chip *chip, struct pwm_device *pwm, const struct pwm_state *state)
{
	struct entry entry = { .kind = PWM, .which = pwm->hwpwm, .value = state->duty_cycle,
			       .period = state->period, .enabled = state->enabled };
	unsigned int other;

	if (pwm_fail)
		return -EREMOTEIO;
	if (state->polarity != PWM_POLARITY_NORMAL)
		return -EINVAL;
	/* One prescaler for all: another period only while no other channel runs. */
	for (other = 0; other < CHANNELS; other++)
		if (other != pwm->hwpwm && chip->pwms[other].state.enabled && state->enabled &&
		    chip->pwms[other].state.period != state->period)
			return -EBUSY;
	note(entry);
	return 0;
}

static const struct pwm_ops pins_ops = {
	.apply = pins_apply,
	.owner = THIS_MODULE,
};

/* ---- the GPIO community ---- */

static void north_set(struct gpio_chip *chip, unsigned int line, int value)
{
	assign_bit(line, high, value);
	note((struct entry){ .kind = LINE_OUT, .which = line, .value = !!value });
}

static int north_get(struct gpio_chip *chip, unsigned int line)
{
	return test_bit(line, high);
}

static int north_direction(struct gpio_chip *chip, unsigned int line)
{
	return test_bit(line, outward) ? GPIO_LINE_DIRECTION_OUT : GPIO_LINE_DIRECTION_IN;
}

static int north_input(struct gpio_chip *chip, unsigned int line)
{
	clear_bit(line, outward);
	note((struct entry){ .kind = LINE_IN, .which = line });
	return 0;
}

static int north_output(struct gpio_chip *chip, unsigned int line, int value)
{
	set_bit(line, outward);
	north_set(chip, line, value);
	return 0;
}

/* ---- the buses ---- */

static u32 bus_functions(struct i2c_adapter *bus)
{
	return I2C_FUNC_I2C | I2C_FUNC_SMBUS_EMUL;
}

/* Nothing but the PWM chip is on the first bus, and the chip is talked to above. */
static int pins_transfer(struct i2c_adapter *bus, struct i2c_msg *messages, int count)
{
	return -ENXIO;
}

static int gauge_transfer(struct i2c_adapter *bus, struct i2c_msg *messages, int count)
{
	static u8 chosen;
	int at, byte;

	for (at = 0; at < count; at++) {
		struct i2c_msg *message = &messages[at];

		if (message->addr != GAUGE_ADDRESS)
			return -ENXIO;
		if (batt_fail) {
			note((struct entry){ .kind = GAUGE });
			return -EREMOTEIO;
		}
		if (message->flags & I2C_M_RD) {
			for (byte = 0; byte < message->len; byte++)
				message->buf[byte] = chosen == GAUGE_REGISTER ? batt : 0;
			note((struct entry){ .kind = GAUGE, .enabled = true, .value = batt });
		} else if (message->len) {
			chosen = message->buf[0];
		}
	}
	return count;
}

static const struct i2c_algorithm pins_algorithm = { .master_xfer = pins_transfer, .functionality = bus_functions };
static const struct i2c_algorithm gauge_algorithm = { .master_xfer = gauge_transfer, .functionality = bus_functions };

static struct i2c_adapter pins_bus = { .owner = THIS_MODULE, .algo = &pins_algorithm, .name = "drsim pins" };
static struct i2c_adapter gauge_bus = { .owner = THIS_MODULE, .algo = &gauge_algorithm, .name = "drsim gauge" };
static struct i2c_client *pins_client;
static struct pci_dev *pins_function, *gauge_function;

/* ---- coming and going ---- */

static int add_buses(void)
{
	int error;

	pins_bus.dev.parent = &pins_function->dev;
	gauge_bus.dev.parent = &gauge_function->dev;
	error = i2c_add_adapter(&pins_bus);
	if (error)
		return error;
	error = i2c_add_adapter(&gauge_bus);
	if (error)
		goto no_gauge;
	/* A client under the chip's address, so that the PWM chip hangs as deep in sysfs as on a car. */
	pins_client = i2c_new_dummy_device(&pins_bus, PINS_ADDRESS);
	if (!IS_ERR(pins_client))
		return 0;
	error = PTR_ERR(pins_client);
	i2c_del_adapter(&gauge_bus);
no_gauge:
	i2c_del_adapter(&pins_bus);
	return error;
}

static void remove_buses(void)
{
	i2c_unregister_device(pins_client);
	i2c_del_adapter(&gauge_bus);
	i2c_del_adapter(&pins_bus);
}

static int add_chips(void)
{
	int error;

	pins.dev = &pins_client->dev;
	pins.ops = &pins_ops;
	pins.npwm = CHANNELS;
	error = pwmchip_add(&pins);
	if (error)
		return error;
	north.label = "INT3452:00";
	north.parent = &pins_function->dev;
	north.owner = THIS_MODULE;
	north.base = FIRST_LINE;
	north.ngpio = LINES;
	north.get = north_get;
	north.set = north_set;
	north.get_direction = north_direction;
	north.direction_input = north_input;
	north.direction_output = north_output;
	error = gpiochip_add_data(&north, NULL);
	if (error)
		pwmchip_remove(&pins);
	return error;
}

static void remove_observer(void)
{
	debugfs_remove_recursive(folder);
	vfree(ring);
}

static int __init drsim_init(void)
{
	int error = -ENODEV;

	ring = vzalloc(array_size(ENTRIES, sizeof(*ring)));
	if (!ring)
		return -ENOMEM;
	pins_function = pci_get_domain_bus_and_slot(0, 0, PCI_DEVFN(0x17, 0));
	gauge_function = pci_get_domain_bus_and_slot(0, 0, PCI_DEVFN(0x17, 3));
	if (!pins_function || !gauge_function) {
		pr_err("drsim: wanted PCI functions 00:17.0 and 00:17.3\n");
		goto failed;
	}
	error = add_buses();
	if (error)
		goto failed;
	error = add_chips();
	if (error) {
		remove_buses();
		goto failed;
	}
	folder = debugfs_create_dir("drsim", NULL);
	debugfs_create_file("log", 0444, folder, NULL, &log_fops);
	debugfs_create_file("now", 0444, folder, NULL, &now_fops);
	debugfs_create_file("mark", 0222, folder, NULL, &mark_fops);
	return 0;
failed:
	pci_dev_put(pins_function);
	pci_dev_put(gauge_function);
	vfree(ring);
	return error;
}

static void __exit drsim_exit(void)
{
	gpiochip_remove(&north);
	pwmchip_remove(&pins);
	remove_buses();
	remove_observer();
	pci_dev_put(pins_function);
	pci_dev_put(gauge_function);
}

module_init(drsim_init);
module_exit(drsim_exit);
MODULE_DESCRIPTION("A DeepRacer's pins, power gate and battery gauge, with an observer");
MODULE_LICENSE("GPL");
