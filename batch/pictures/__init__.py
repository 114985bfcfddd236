"""Pictures that strangers made, taken apart in a confined process: into a form that workers read, or drawn on."""
