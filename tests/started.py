"""How the kernel is told what it starts, as boot.cmd of the image does."""

COMMITTED = "root=PARTUUID=636c6561-02 ro rauc.slot=a loglevel=4\n"
ON_TRIAL = "root=PARTUUID=636c6561-03 ro rauc.slot=b cleandesk.trial loglevel=4\n"
