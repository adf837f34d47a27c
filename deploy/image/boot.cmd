# Which root slot boots: one script for the Raspberry Pi and for QEMU. slots.py writes the same state.
#
# slot   the committed slot, a or b; nothing but a commit changes it
# trial  a slot with an update that nobody has committed yet, or unset
# tries  how often the trial may still be started
#
# The state is an exported environment with its CRC in one sector, before the first partition, and
# there are two of it: the second is written first, with what the first says, so that a power cut
# leaves one that is whole. They are far from each other and from all else, as a card erases up to 4 MiB at once.
setenv first 2000
setenv second 4000
setenv state ${kernel_addr_r}
setenv slot
setenv trial
setenv tries 0
# Debian's U-Boot for the Raspberry Pi expects the initramfs 39 MiB into the memory: within today's kernel.
setexpr initramfs ${kernel_addr_r} + 8000000
${devtype} dev ${devnum}

setenv whole no
${devtype} read ${state} ${first} 1
if env import -c ${state} 200 slot trial tries; then
  setenv whole yes
else
  echo "cleandesk: the first copy of the state is damaged"
  ${devtype} read ${state} ${second} 1
  env import -c ${state} 200 slot trial tries
fi
if test "${slot}" != a -a "${slot}" != b; then
  echo "cleandesk: no state; slot a it is"
  setenv slot a
  setenv trial
fi

setenv chosen ${slot}
if test -n "${trial}"; then
  if test "${whole}" = yes; then
    ${devtype} write ${state} ${second} 1
  fi
  if test "${tries}" = 0; then
    echo "cleandesk: slot ${trial} was never committed: back to slot ${slot}"
    setenv trial
  else
    setenv chosen ${trial}
    setexpr tries ${tries} - 1
  fi
  env export -c -s 200 ${state} slot trial tries
  ${devtype} write ${state} ${first} 1
fi

# The chosen one; where that cannot be read, the committed one, three times in all, as a card may fail
# once; then any. Nobody is there to answer a question: what panics starts anew, and what fsck finds it
# repairs.
for one in ${chosen} ${slot} ${slot} a b; do
  setenv part 2
  if test ${one} = b; then
    setenv part 3
  fi
  # The units go by this word, and not by a program of the slot: it may be what does not work.
  setenv word
  if test ${one} != ${slot}; then
    setenv word cleandesk.trial
    # Nobody asked for it: it comes in place of the committed one, which cannot be loaded.
    if test "${one}" != "${trial}"; then
      setenv word cleandesk.trial cleandesk.instead
    fi
  fi
  echo "cleandesk: slot ${one}"
  if load ${devtype} ${devnum}:${part} ${kernel_addr_r} /boot/vmlinuz; then
    if load ${devtype} ${devnum}:${part} ${initramfs} /boot/initrd.img; then
      part uuid ${devtype} ${devnum}:${part} uuid
      setenv bootargs root=PARTUUID=${uuid} ro rootwait panic=10 fsck.repair=yes rauc.slot=${one} ${word} loglevel=4
      echo "cleandesk: ${bootargs}"
      booti ${kernel_addr_r} ${initramfs}:${filesize} ${fdt_addr}
    fi
  fi
done
echo "cleandesk: no slot can be started"
sleep 10
reset
