"""Provisioning: who may call themselves a box, and who may listen to one."""
