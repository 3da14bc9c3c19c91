"""LVGL on the loop: inputs, guarded callbacks, mending after an escaped exception, inspection."""
