"""What a board runs at boot: finish a deployment that was cut short, then mpos."""

import deploy_switch

deploy_switch.finish()

import mpos.main  # noqa: E402  only now are its files those of one version

mpos.main.main()
